// The page's icon. Its policy lets pictures come as blobs alone, so it is fetched and given as one.
fetch("/favicon.svg").then(async (answer) => {
  const link = document.createElement("link");
  link.rel = "icon";
  link.type = "image/svg+xml";
  link.href = URL.createObjectURL(await answer.blob());
  document.head.append(link);
});
