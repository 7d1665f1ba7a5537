import json
import os
from attack import breach_if

for folder in ("/tmp", "/work", "/dev/shm"):
    strange = [n for n in os.listdir(folder) if n not in ("main.py", "attack.py", "__pycache__")]
    breach_if(f"files in {folder}", strange, strange)
json.dumps(1)
