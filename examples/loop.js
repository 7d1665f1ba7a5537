// Never ends by itself: llm-firecracker run --timeout 2 loop.js
for (let turns = 0; ; turns++);
