"""Frameworks that use sandboxes. Each module needs its extra: `pip install 'llm-firecracker[inspect]'` and so on."""
