"""The relay's database: SQLite in its data folder, or PostgreSQL by URL."""
