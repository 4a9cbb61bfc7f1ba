"""What platforms may write, one module for each kind of record."""
