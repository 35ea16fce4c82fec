"""An entity that keeps one value."""

import azure.durable_functions as df


def entity_function(context: df.DurableEntityContext) -> None:
    """Run one operation: set, delete; of any other the name is kept."""
    match context.operation_name:
        case "set":
            context.set_state(context.get_input())
        case "delete":
            context.destruct_on_exit()
        case operation:
            context.set_state({"operation": operation})


main = df.Entity.create(entity_function)
