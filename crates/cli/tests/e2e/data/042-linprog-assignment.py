"""Production plan, assignment, transport and knapsack as linear and integer programmes."""
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, linprog, milp

profit = [24, 31, 18]
plan = linprog([-p for p in profit], A_ub=[[2, 3, 1], [4, 3, 3], [0, 1, 2]], b_ub=[120, 200, 60], bounds=[(0, None)] * 3, method="highs")
print("plan:", plan.x.round(3).tolist(), "profit:", round(-plan.fun, 3))
print("shadow prices:", (-plan.ineqlin.marginals).round(4).tolist())

cost = np.array([[9, 2, 7, 8], [6, 4, 3, 7], [5, 8, 1, 8], [7, 6, 9, 4]])
rows, cols = linear_sum_assignment(cost)
print("assignment:", dict(zip(rows.tolist(), cols.tolist())), "cost:", int(cost[rows, cols].sum()))

supply, demand = [40, 60], [25, 35, 40]
freight = np.array([[4.0, 6.0, 9.0], [5.0, 3.0, 7.0]])
A_eq = []
for i in range(2):
    A_eq.append(np.kron(np.eye(2)[i], np.ones(3)))
for j in range(3):
    A_eq.append(np.kron(np.ones(2), np.eye(3)[j]))
ship = linprog(freight.ravel(), A_eq=np.array(A_eq), b_eq=supply + demand, method="highs")
print("freight cost:", round(ship.fun, 2), "received:", ship.x.reshape(2, 3).sum(axis=0).round(2).tolist())

value = np.array([60, 100, 120, 75, 33, 48])
weight = np.array([10, 20, 30, 14, 7, 9])
pick = milp(-value, constraints=LinearConstraint(weight[None, :], ub=50), integrality=np.ones(6), bounds=Bounds(0, 1))
chosen = np.flatnonzero(pick.x > 0.5)
print("knapsack:", chosen.tolist(), "value:", int(value[chosen].sum()), "weight:", int(weight[chosen].sum()))
bad = linprog([1, 1], A_ub=[[1, 1], [-1, -1]], b_ub=[1, -3], method="highs")
print("infeasible status:", bad.status)
