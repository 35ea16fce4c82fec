"""Everything seen over HTTP: function routes, the Durable management API, admin endpoints."""
