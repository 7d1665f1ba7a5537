# Everything that collecting files could trip over.
import os

os.makedirs("out", exist_ok=True)
os.chdir("out")
os.mkfifo("fifo")
os.symlink("/etc/passwd", "link-to-file")
os.symlink("/", "link-to-root")
os.symlink("loop", "loop")
os.link("/work/main.py", "hard-link")
with open("sparse", "w") as sparse:
    sparse.truncate(60 << 20)
for n in range(2000):
    open(f"empty-{n}", "w").close()
deep = os.open(".", os.O_DIRECTORY)
try:
    for _ in range(2000):
        os.mkdir("d" * 100, dir_fd=deep)
        deep, old = os.open("d" * 100, os.O_DIRECTORY, dir_fd=deep), deep
        os.close(old)
except OSError as error:
    print("no deeper:", error.strerror)
print("left them all")
