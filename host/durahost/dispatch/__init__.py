"""The loops that move work: episodes, activities, leases."""
