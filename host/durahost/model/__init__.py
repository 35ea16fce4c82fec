"""The words of the field as plain values: ids, events, messages, actions, instances, functions,
errors.
"""
