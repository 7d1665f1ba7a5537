"""Interpolate tide gauge readings: linear, PCHIP, cubic spline, and a 2-D grid."""
import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator, RBFInterpolator, RegularGridInterpolator, UnivariateSpline

hours = np.array([0.0, 1.5, 3.0, 5.0, 6.2, 8.0, 10.0, 12.4])
level = np.array([2.10, 3.05, 3.90, 3.40, 2.35, 1.20, 1.05, 2.12])
grid = np.array([0.75, 2.5, 4.0, 7.0, 11.0])

cubic = CubicSpline(hours, level, bc_type="natural")
pchip = PchipInterpolator(hours, level)
print("linear:", np.interp(grid, hours, level).round(4).tolist())
print("pchip: ", pchip(grid).round(4).tolist())
print("cubic: ", cubic(grid).round(4).tolist())

turning = cubic.derivative().roots(extrapolate=False)
print("high and low water at", turning.round(3).tolist(), "h:", cubic(turning).round(3).tolist())
print(f"mean level {cubic.integrate(0, 12.4) / 12.4:.4f}, slope at 5 h {cubic(5.0, 1):.4f} m/h")
smooth = UnivariateSpline(hours, level, k=3, s=0.05)
print("smoothing spline knots:", len(smooth.get_knots()), f"residual {smooth.get_residual():.4f}")

x, y = np.linspace(0, 3, 7), np.linspace(0, 2, 5)
depth = np.add.outer(np.square(x), 3 * y)
field = RegularGridInterpolator((x, y), depth, method="linear")
print("grid:", field([[0.25, 0.25], [1.6, 1.9], [3.0, 2.0]]).round(4).tolist())
pts = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.4]])
rbf = RBFInterpolator(pts, pts @ [2.0, -1.0] + 0.5, kernel="thin_plate_spline", degree=1)
print("rbf:", rbf([[0.3, 0.7], [0.9, 0.1]]).round(4).tolist())
