"""What pdfkit says without wkhtmltopdf, and digits by mpmath."""
import mpmath
import pdfkit

mpmath.mp.dps = 30
print(mpmath.zeta(3), mpmath.findroot(lambda x: mpmath.cos(x) - x, 0.7))
try:
    pdfkit.from_string("<h1>Hello</h1>", "a.pdf")
except OSError as error:
    print(str(error).splitlines()[0])
