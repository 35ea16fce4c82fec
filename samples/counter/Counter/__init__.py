"""A counter: the smallest durable entity."""

import azure.durable_functions as df


def entity_function(context: df.DurableEntityContext) -> None:
    """Run one operation: add (a number), get, reset or delete."""
    value = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            context.set_state(value + context.get_input())
        case "get":
            context.set_result(value)
        case "reset":
            context.set_state(0)
        case "delete":
            context.destruct_on_exit()
        case unknown:
            raise ValueError(f"a counter does not know how to {unknown}")


main = df.Entity.create(entity_function)
