"""Numerical integration: quadrature and the SIR epidemic model."""
import numpy as np
from scipy import integrate

print(f"gauss: {integrate.quad(lambda x: np.exp(-x * x), -np.inf, np.inf)[0]:.8f}, sqrt(pi) = {np.sqrt(np.pi):.8f}")
area, _ = integrate.dblquad(lambda y, x: x * y, 0, 1, 0, lambda x: 1 - x)
print(f"x*y over the triangle: {area:.8f} = 1/24")
x = np.linspace(0, np.pi, 21)
print(f"trapezoid {integrate.trapezoid(np.sin(x), x):.6f}, simpson {integrate.simpson(np.sin(x), x=x):.6f}")
print("cumulative:", integrate.cumulative_trapezoid(np.arange(6.0), dx=0.5, initial=0).tolist())


def sir(t, y, beta, gamma):
    s, i, r = y
    return [-beta * s * i, beta * s * i - gamma * i, gamma * i]


def peak(t, y, beta, gamma):
    return beta * y[0] - gamma


peak.direction = -1
sol = integrate.solve_ivp(sir, (0, 160), [0.999, 0.001, 0.0], args=(0.30, 0.10), events=peak, dense_output=True, rtol=1e-9, atol=1e-11)
when = sol.t_events[0][0]
print(f"peak on day {when:.3f} with {sol.sol(when)[1]:.4f} infected")
for day in (20, 40, 80, 160):
    s, i, r = sol.sol(day)
    print(f"day {day:>3}: S {s:.4f} I {i:.4f} R {r:.4f} sum {s + i + r:.6f}")
final = sol.sol(160)[2]
print("final size equation holds:", abs(1 - final - np.exp(-3 * final)) < 1e-2)
stiff = integrate.solve_ivp(lambda t, y: -500 * (y - np.cos(t)), (0, 2), [0.0], method="Radau", rtol=1e-6)
print(f"stiff end value {stiff.y[0, -1]:.4f}")
