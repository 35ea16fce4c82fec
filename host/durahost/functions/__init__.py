"""The host half of function apps: discovery, function.json, routes, schedules."""
