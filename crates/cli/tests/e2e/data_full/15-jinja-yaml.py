"""A letter from a template with jinja2, its data from YAML."""
import jinja2
import yaml

data = yaml.safe_load("""
customer: Ann
items:
  - {name: tea, price: 4.5}
  - {name: "<milk>", price: 1.25}
""")
template = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(
    "Dear {{ customer }},\n{% for item in items %}\n{{ loop.index }}. {{ item.name }}: {{ '%.2f' | format(item.price) }}\n"
    "{% endfor %}\nSum: {{ items | sum(attribute='price') }}"
)
print(template.render(data))
print(yaml.safe_dump(data, allow_unicode=True, sort_keys=True), end="")
