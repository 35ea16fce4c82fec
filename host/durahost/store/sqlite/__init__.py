"""The store in one SQLite file: `store.SqliteStore` opens it, the other modules are its parts."""
