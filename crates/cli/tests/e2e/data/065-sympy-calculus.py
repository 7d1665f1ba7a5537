"""Symbolic calculus: limits, derivatives, integrals, series and code generation."""
import sympy as sp

x, y, a = sp.symbols("x y a", real=True)
k, n = sp.symbols("k n", integer=True, positive=True)

f = sp.exp(-x) * sp.sin(2 * x)
print("f' =", sp.simplify(sp.diff(f, x)))
print("F  =", sp.simplify(sp.integrate(f, x)))
print("0..oo:", sp.integrate(f, (x, 0, sp.oo)), "| gauss:", sp.integrate(sp.exp(-x**2), (x, -sp.oo, sp.oo)))
print("limits:", sp.limit(sp.sin(3 * x) / x, x, 0), sp.limit((1 + a / n) ** n, n, sp.oo))
print("series:", sp.series(sp.log(1 + x) / x, x, 0, 5))
print("sum k^2:", sp.factor(sp.summation(k**2, (k, 1, n))), "| zeta(2):", sp.summation(1 / k**2, (k, 1, sp.oo)))

g = x**3 - 3 * x * y + y**3
points = sp.solve([sp.diff(g, x), sp.diff(g, y)], [x, y], dict=True)
hess = sp.hessian(g, (x, y))
for p in sorted(points, key=str):
    det = hess.subs(p).det()
    print("critical", (p[x], p[y]), "saddle" if det < 0 else "minimum" if hess.subs(p)[0, 0] > 0 else "maximum")

expr = (x**2 - 1) / (x**2 + 3 * x + 2)
print(sp.cancel(expr), "|", sp.apart(1 / (x**3 - x), x), "|", sp.expand((x + 2 * y) ** 3))
print("trig:", sp.trigsimp(sp.sin(x) ** 4 - sp.cos(x) ** 4), "|", sp.expand_trig(sp.cos(3 * x)))
fast = sp.lambdify((x, y), g, "math")
print("numeric:", fast(1.5, -0.5), "| latex:", sp.latex(sp.sqrt(x) / y), "| C:", sp.ccode(x**2 / 3))
