"""An Azure Functions-compatible host with Durable Functions built in."""

__version__ = "0.1.0"
