"""Graphs: shortest paths, a minimum spanning tree, topological order, strongly connected parts."""
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from itertools import count

ROADS = """Ulm-Augsburg 85 Ulm-Stuttgart 93 Stuttgart-Karlsruhe 80 Karlsruhe-Mannheim 68 Mannheim-Frankfurt 85
Augsburg-Munich 80 Munich-Nuremberg 170 Nuremberg-Frankfurt 225 Stuttgart-Nuremberg 208 Frankfurt-Kassel 193"""

graph: dict[str, dict[str, int]] = {}
words = ROADS.split()
for road, length in zip(words[::2], map(int, words[1::2])):
    a, b = road.split("-")
    graph.setdefault(a, {})[b] = graph.setdefault(b, {})[a] = length


def shortest(source: str):
    distance, before, heap = {source: 0}, {}, [(0, source)]
    while heap:
        so_far, town = heappop(heap)
        if so_far > distance[town]:
            continue
        for other, length in graph[town].items():
            if so_far + length < distance.get(other, 1 << 60):
                distance[other], before[other] = so_far + length, town
                heappush(heap, (distance[other], other))
    return distance, before


def spanning_tree():
    parent = {town: town for town in graph}

    def root(town):
        while parent[town] != town:
            parent[town] = town = parent[parent[town]]
        return town

    for length, a, b in sorted((w, a, b) for a in graph for b, w in graph[a].items() if a < b):
        if root(a) != root(b):
            parent[root(a)] = root(b)
            yield length, a, b


def components(edges):
    """Tarjan."""
    index, low, stack, order, found = {}, {}, [], count(), []

    def visit(node):
        index[node] = low[node] = next(order)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            cut = stack.index(node)
            found.append(sorted(stack[cut:]))
            del stack[cut:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


distance, before = shortest("Munich")
path = ["Kassel"]
while path[-1] != "Munich":
    path.append(before[path[-1]])
print(" > ".join(reversed(path)), distance["Kassel"], "km")
print("farthest:", sorted(distance.items(), key=lambda pair: -pair[1])[:3])
tree = list(spanning_tree())
print("tree:", sum(length for length, *_ in tree), "km,", len(tree), "roads")
print(*TopologicalSorter({"run": {"link"}, "link": {"compile"}, "compile": {"parse"}}).static_order())
try:
    TopologicalSorter({1: [2], 2: [1]}).prepare()
except CycleError as error:
    print("cycle of", len(set(error.args[1])))
print(components({1: [2], 2: [3], 3: [1], 4: [3, 5], 5: [4], 6: [6]}))
