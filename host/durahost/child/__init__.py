"""The process that runs user code, self-contained: standard library and the app's azure-functions.

It is loaded under a private name by `bootstrap.py`, in whatever interpreter the app has (Python
3.10 and newer), so its modules import each other relatively and nothing else of durahost.
"""
