"""The client for `async` programs. `_sync` is made from it by `scripts/unasync.py`: change it here."""
