"""host.json and app settings as frozen values."""
