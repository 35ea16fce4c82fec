"""Durable stores: one set of Protocols, and their implementations."""
