"""Records taken away as files: a topic as Polis publishes it, a whole community as CSV and JSON."""
