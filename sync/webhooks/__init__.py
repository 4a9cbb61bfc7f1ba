"""Telling platforms of changes by Standard Webhooks: a hint that comes at once; the feed is the truth."""
