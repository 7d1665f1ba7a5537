import os

for folder in ("/tmp", "/work", "/dev/shm"):
    os.makedirs(f"{folder}/left-behind", exist_ok=True)
    with open(f"{folder}/left-behind/marker", "w") as file:
        file.write("left by an earlier job")
for name, text in [(".bashrc", "echo BREACH: .bashrc"), (".profile", "echo BREACH: .profile"),
                   ("sitecustomize.py", "print('BREACH: sitecustomize')"), ("json.py", "print('BREACH: json.py')"), (".npmrc", "x=y")]:
    with open(f"/work/{name}", "w") as file:
        file.write(text)
os.chmod("/work", 0o777)
print("planted")
