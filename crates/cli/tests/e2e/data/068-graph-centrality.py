"""Centrality, cliques and communities of the karate club graph."""
import networkx as nx
from networkx.algorithms import community

G = nx.karate_club_graph()
print("nodes", G.number_of_nodes(), "edges", G.number_of_edges(), f"density {nx.density(G):.4f}", "diameter", nx.diameter(G))
print(f"clustering {nx.average_clustering(G):.4f}, mean path {nx.average_shortest_path_length(G):.4f}")

for name, values in [
    ("degree", nx.degree_centrality(G)),
    ("between", nx.betweenness_centrality(G)),
    ("close", nx.closeness_centrality(G)),
    ("pagerank", nx.pagerank(G, alpha=0.85, weight=None)),
]:
    top = sorted(values, key=lambda v: (-round(values[v], 9), v))[:4]
    print(f"{name:<9}", [(v, round(values[v], 4)) for v in top])

print("largest clique size:", max(len(c) for c in nx.find_cliques(G)), "triangles:", sum(nx.triangles(G).values()) // 3)
print("core of degree 4:", sorted(nx.k_core(G, 4).nodes))
parts = community.greedy_modularity_communities(G, weight=None)
print("community sizes:", [len(p) for p in parts], f"modularity {community.modularity(G, parts, weight=None):.4f}")
clubs = nx.get_node_attributes(G, "club")
mr_hi = {v for v, c in clubs.items() if c == "Mr. Hi"}
cut = nx.cut_size(G, mr_hi)
print("members of Mr. Hi:", len(mr_hi), "edges between the clubs:", int(cut))
print("bridges:", sorted(nx.bridges(G)), "articulation:", sorted(nx.articulation_points(G)))
print("path 16-26:", nx.shortest_path_length(G, 16, 26), "bipartite:", nx.is_bipartite(G), f"assortativity {nx.degree_assortativity_coefficient(G):.4f}")
