# The marker is spelt so that no program's text holds it.
marker = bytes(b ^ 0x55 for b in b"\x38\x34\x27\x3e\x30\x27\x78\x3a\x33\x78\x34\x3b\x78\x30\x34\x27\x39\x3c\x30\x27\x78\x3f\x3a\x37")
held = [marker * 40_000 for _ in range(100)]
print("planted", sum(map(len, held)))
