"""A project plan as a DAG (critical path), a water network (maximum flow) and a tour."""
import networkx as nx
import pandas as pd

tasks = {"dig": (3, []), "pour": (2, ["dig"]), "frame": (5, ["pour"]), "wire": (3, ["frame"]), "pipe": (4, ["frame"]), "roof": (4, ["frame"]), "paint": (2, ["wire", "pipe", "roof"])}
plan = nx.DiGraph()
for name, (days, needs) in tasks.items():
    plan.add_node(name, days=days)
    plan.add_edges_from((need, name) for need in needs)
start = {}
for name in nx.lexicographical_topological_sort(plan):
    start[name] = max((start[p] + tasks[p][0] for p in plan.predecessors(name)), default=0)
total = max(start[n] + tasks[n][0] for n in tasks)
late = {}
for name in reversed(list(nx.lexicographical_topological_sort(plan))):
    late[name] = min((late[s] for s in plan.successors(name)), default=total) - tasks[name][0]
print("order:", list(nx.lexicographical_topological_sort(plan)))
print("days:", total, "slack:", {n: late[n] - start[n] for n in tasks})
print("before paint:", sorted(nx.ancestors(plan, "paint")), "acyclic:", nx.is_directed_acyclic_graph(plan))

pipes = pd.DataFrame([("src", "a", 10), ("src", "b", 8), ("a", "b", 4), ("a", "c", 7), ("b", "d", 9), ("c", "sink", 6), ("d", "sink", 11), ("c", "d", 3)], columns=["u", "v", "capacity"])
net = nx.from_pandas_edgelist(pipes, "u", "v", edge_attr="capacity", create_using=nx.DiGraph)
value, flow = nx.maximum_flow(net, "src", "sink")
cut, (side, _) = nx.minimum_cut(net, "src", "sink")
print("max flow:", value, "min cut:", cut, "source side:", sorted(side))

roads = nx.Graph()
roads.add_weighted_edges_from([("P", "Q", 4), ("P", "R", 2), ("Q", "R", 5), ("Q", "S", 10), ("R", "T", 3), ("T", "S", 4), ("S", "U", 11)])
print("dijkstra:", nx.dijkstra_path(roads, "P", "U"), nx.dijkstra_path_length(roads, "P", "U"))
print("spanning tree:", int(nx.minimum_spanning_tree(roads).size(weight="weight")), sorted(tuple(sorted(e)) for e in nx.minimum_spanning_edges(roads, data=False)))
print("colours needed:", max(nx.greedy_color(roads, strategy="largest_first").values()) + 1, "matching:", len(nx.max_weight_matching(roads)))
print(nx.to_numpy_array(roads, nodelist=sorted(roads), weight="weight").astype(int).tolist()[0], "cycles:", sorted(len(c) for c in nx.cycle_basis(roads, "P")))
