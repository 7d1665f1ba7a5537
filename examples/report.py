# /// script
# dependencies = ["requests", "pandas>=2"]
# ///
"""Needs two packages: llm-firecracker run --with requests --with 'pandas>=2' report.py"""

import pandas
import requests

print("pandas", pandas.__version__, "requests", requests.__version__)
