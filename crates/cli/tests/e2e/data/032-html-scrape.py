"""Take articles out of a page with BeautifulSoup and with lxml XPath; build a small XML feed."""
import re
from urllib.parse import urljoin

from bs4 import BeautifulSoup
from lxml import etree, html

PAGE = """<!doctype html><html><head><title>News &amp; Notes</title><base href="https://example.org/news/"></head>
<body><nav><a href="/">home</a></nav>
<article class="post big" data-id="7"><h2><a href="seven.html">Seven  bridges</a></h2><time datetime="2024-05-02">2 May</time>
<p>First <b>bold</b> claim.<p>Second paragraph, 1,200 words.</article>
<article class="post" data-id="9"><h2><a href="../nine?x=1&y=2">Nine lives</a></h2><time datetime="2024-04-30">30 April</time>
<p>Only one.</p><img src="cat.png" alt="A cat"></article>
<script>var x = "<article>";</script></body></html>"""

soup = BeautifulSoup(PAGE, "html.parser")
base = soup.base["href"]
print(soup.title.string, "|", len(soup.find_all("article")), "articles |", soup.select_one("img[alt]")["alt"])
for post in sorted(soup.select("article.post"), key=lambda p: p.time["datetime"]):
    title = re.sub(r"\s+", " ", post.h2.get_text(strip=True))
    print(post["data-id"], post["class"], title, urljoin(base, post.a["href"]))

tree = html.fromstring(PAGE)
print("paragraphs by xpath:", [int(n) for n in (tree.xpath("count(//article[1]/p)"), tree.xpath("count(//article[2]/p)"))])
print(tree.xpath("string(//article[@data-id='7']/p[1])").strip(), "|", tree.xpath("//article/@data-id"))

feed = etree.Element("feed", version="1")
for post in tree.xpath("//article"):
    item = etree.SubElement(feed, "item", day=post.findtext(".//time"))
    item.text = post.xpath("string(.//h2)")
print(etree.tostring(feed, pretty_print=True, encoding="unicode").strip())
for tag in soup(["script", "nav"]):
    tag.decompose()
print(len(soup.body.get_text(" ", strip=True).split()), "words left")
