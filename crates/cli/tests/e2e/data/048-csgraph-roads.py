"""Road network as a sparse matrix: shortest paths, components, spanning tree."""
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra, maximum_flow, minimum_spanning_tree

towns = ["Alba", "Bree", "Cork", "Dale", "Esk", "Fell", "Glen", "Holt"]
roads = [(0, 1, 7), (0, 2, 9), (0, 5, 14), (1, 2, 10), (1, 3, 15), (2, 3, 11), (2, 5, 2), (3, 4, 6), (4, 5, 9), (6, 7, 3)]
i, j, w = map(np.array, zip(*roads))
graph = csr_array((np.r_[w, w], (np.r_[i, j], np.r_[j, i])), shape=(8, 8))

parts, label = connected_components(graph, directed=False)
print("components:", parts, label.tolist())
dist, prev = dijkstra(graph, indices=0, return_predecessors=True)
for goal in (3, 4, 7):
    if np.isinf(dist[goal]):
        print("Alba to", towns[goal], "no road")
        continue
    path, node = [], goal
    while node >= 0:
        path.append(towns[node])
        node = prev[node]
    print("Alba to", towns[goal], int(dist[goal]), "km:", " - ".join(reversed(path)))

tree = minimum_spanning_tree(graph).tocoo()
edges = sorted((towns[min(a, b)], towns[max(a, b)]) for a, b in zip(tree.row, tree.col))
print("spanning tree:", int(tree.data.sum()), "km,", edges[:3], "...", len(edges), "edges")
order = breadth_first_order(graph, 4, directed=False, return_predecessors=False)
print("reached from Esk:", len(order), "first", towns[order[0]])
pipe = csr_array(np.array([[0, 16, 13, 0], [0, 0, 4, 12], [0, 0, 0, 14], [0, 0, 0, 0]], dtype=np.int32))
print("flow:", maximum_flow(pipe, 0, 3).flow_value, "degree:", np.diff(graph.indptr).tolist())
hops = (graph > 0).astype(int)
print("walks of length 3 from Alba to Dale:", int((hops @ hops @ hops)[0, 3]))
