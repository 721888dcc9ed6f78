"""The journal in a PostgreSQL database: any number of processes and nodes share it."""
