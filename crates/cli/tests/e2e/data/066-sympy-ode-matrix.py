"""Equations, differential equations, matrices and number theory in sympy."""
import sympy as sp
from sympy.ntheory import factorint, isprime, primitive_root
from sympy.ntheory.modular import crt

x, t = sp.symbols("x t")
print("roots:", sp.solve(x**4 - 5 * x**2 + 4, x), sp.roots(x**3 - 2 * x**2 + x, x))
print("linear:", sp.linsolve([x + 2 * t - 4, 3 * x - t - 5], x, t), "| interval:", sp.solve_univariate_inequality(x**2 - x - 6 < 0, x, relational=False))

f = sp.Function("f")
ode = sp.Eq(f(t).diff(t, 2) + 4 * f(t), 0)
sol = sp.dsolve(ode, f(t), ics={f(0): 1, f(t).diff(t).subs(t, 0): 2})
print(sol, "| check:", sp.checkodesol(ode, sol)[0])
print(sp.dsolve(f(t).diff(t) - f(t) * (1 - f(t)), f(t), ics={f(0): sp.Rational(1, 4)}).rhs.subs(t, 0))

M = sp.Matrix([[2, 1, 0], [1, 2, 1], [0, 1, 2]])
print("det", M.det(), "eigen", sorted(M.eigenvals(), key=lambda v: float(v)), "charpoly", M.charpoly(x).as_expr())
print("inverse", M.inv().tolist(), "| rank", sp.Matrix([[1, 2], [2, 4]]).rank(), "| null", sp.Matrix([[1, 2], [2, 4]]).nullspace()[0].T.tolist())
P, D = sp.Matrix([[4, 1], [2, 3]]).diagonalize()
print("diagonal:", D.tolist(), "| works:", P * D * P.inv() == sp.Matrix([[4, 1], [2, 3]]))

print("factors:", factorint(2**32 - 1), "| 2^61-1 prime:", isprime(2**61 - 1), "| root of 17:", primitive_root(17))
print("crt:", [int(v) for v in crt([3, 5, 7], [2, 3, 2])], "| fib(50):", sp.fibonacci(50), "| pi:", sp.N(sp.pi, 30))
print("logic:", sp.simplify_logic("(a & b) | (a & ~b)"), "| sets:", sp.Union(sp.Interval(0, 2), sp.Interval.open(1, 4)))
