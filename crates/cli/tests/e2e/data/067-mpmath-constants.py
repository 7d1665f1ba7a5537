"""High precision with mpmath: constants, zeta zeros, quadrature and integer relations."""
from mpmath import identify, linspace, lu_solve, matrix, mp, mpf, nstr, findroot, quad, zeta, zetazero, besselj, gamma, iv, nsum, inf, diff, polyroots, log, sqrt, sin, exp

mp.dps = 50
print("pi:", nstr(mp.pi, 45))
print("e^(pi sqrt 163):", nstr(exp(mp.pi * sqrt(163)), 34))
print("zeta(3):", nstr(zeta(3), 30), "| Euler:", nstr(mp.euler, 25))

machin = 4 * (4 * mp.acot(5) - mp.acot(239))
print("Machin formula correct to 45 digits:", abs(machin - mp.pi) < mpf(10) ** -45)
print("gamma(1/2)^2 = pi:", abs(gamma(mpf(1) / 2) ** 2 - mp.pi) < mpf(10) ** -45)

mp.dps = 25
print("first zeta zero:", nstr(zetazero(1).imag, 18))
print("integral:", nstr(quad(lambda x: log(1 + x) / x, [0, 1]), 20), "=", nstr(mp.pi**2 / 12, 20))
print("sum:", nstr(nsum(lambda k: (-1) ** k / (2 * k + 1), [0, inf]) * 4, 20))
print("root:", nstr(findroot(lambda x: x * exp(x) - 1, 0.5), 20), "| bessel zero:", nstr(findroot(lambda x: besselj(0, x), 2.4), 18))
print("third derivative:", nstr(diff(sin, 1, 3), 15), "| poly roots:", [nstr(r, 8) for r in polyroots([1, -6, 11, -6])])
print("identified:", identify(sqrt(2) + mpf(1) / 3, ["sqrt(2)"]))

A = matrix([[4, 1, 2], [1, 3, 0], [2, 0, 5]])
b = matrix([7, 4, 7])
print("solution:", [nstr(v, 12) for v in lu_solve(A, b)], "| steps:", [nstr(v, 4) for v in linspace(0, 1, 5)])
width = iv.mpf([1, 2]) / 3
print("interval:", nstr(mpf(width.a), 10), nstr(mpf(width.b), 10))
