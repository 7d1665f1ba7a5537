"""The client without `async`, made by `scripts/unasync.py`."""
