"""Templates in standard Liquid: whatever we render otherwise than python-liquid is a difference.

By tag and filter. The values: `a` is 7, `f` is 2.5, `s` is text, `l` a list of texts, `n` of
numbers, `t` true, `e` an empty text; the tests assign them first.
"""

from typing import Final

VALUES: Final = (
    "{% assign a = 7 %}{% assign f = 2.5 %}{% assign s = 'Ground control to Major Tom' %}"
    "{% assign l = 'b,a,C,a' | split: ',' %}{% assign n = '3,1,2,10' | split: ',' %}"
    "{% assign t = true %}{% assign e = '' %}"
)

FILTERS: Final[dict[str, tuple[str, ...]]] = {
    "abs": ("{{ -5 | abs }}", "{{ '-2.5' | abs }}", "{{ 'x' | abs }}"),
    "append": ("{{ s | append: '!' }}", "{{ a | append: f }}", "{{ e | append: e }}"),
    "at_least": ("{{ a | at_least: 9 }}", "{{ a | at_least: '2' }}", "{{ 'x' | at_least: 1 }}"),
    "at_most": ("{{ a | at_most: 3 }}", "{{ f | at_most: 9.5 }}", "{{ a | at_most: 'x' }}"),
    "capitalize": ("{{ 'hello WORLD' | capitalize }}", "{{ a | capitalize }}"),
    "ceil": ("{{ f | ceil }}", "{{ '3.01' | ceil }}", "{{ -1.5 | ceil }}"),
    "compact": ("{{ l | compact | size }}", "{{ s | compact | first }}"),
    "concat": ("{{ l | concat: n | join }}", "{{ n | concat: l | size }}"),
    "default": (
        "{{ e | default: 'x' }}",
        "{{ nil | default: 'x' }}",
        "{{ false | default: 'x' }}",
        "{{ false | default: 'x', allow_false: true }}",
        "{{ 0 | default: 'x' }}",
        "{{ s | default: 'x' }}",
        "{{ nil | default }}",
    ),
    "divided_by": (
        "{{ a | divided_by: 2 }}",
        "{{ a | divided_by: 2.0 }}",
        "{{ -7 | divided_by: 2 }}",
        "{{ '10' | divided_by: '5' }}",
    ),
    "downcase": ("{{ s | downcase }}", "{{ a | downcase }}"),
    "escape": ("{{ '<a href=\"x\">&amp;</a>' | escape }}", '{{ "it\'s" | escape }}'),
    "escape_once": ("{{ '&lt;p&gt; <p>' | escape_once }}", "{{ a | escape_once }}"),
    "first": ("{{ l | first }}", "{{ n | first | plus: 1 }}"),
    "floor": ("{{ f | floor }}", "{{ '-2.1' | floor }}", "{{ a | floor }}"),
    "join": ("{{ l | join }}", "{{ l | join: '-' }}", "{{ l | join: 1 }}", "{{ s | join: ',' }}"),
    "last": ("{{ l | last }}", "{{ n | reverse | last }}"),
    "lstrip": ("[{{ ' \t\r\n x ' | lstrip }}]", "{{ a | lstrip }}"),
    "minus": ("{{ a | minus: 2 }}", "{{ 1.3 | minus: 0.1 }}", "{{ '5' | minus: '7' }}"),
    "modulo": ("{{ a | modulo: 4 }}", "{{ 10.5 | modulo: 3 }}", "{{ -7 | modulo: 3 }}"),
    "newline_to_br": ("{{ 'a\nb\r\nc' | newline_to_br }}", "{{ a | newline_to_br }}"),
    "plus": ("{{ a | plus: 2 }}", "{{ 0.1 | plus: 0.2 }}", "{{ '1' | plus: 'x' }}"),
    "prepend": ("{{ s | prepend: '> ' }}", "{{ a | prepend: f }}"),
    "remove": ("{{ s | remove: 'o' }}", "{{ a | remove: 7 }}"),
    "remove_first": ("{{ s | remove_first: 'o' }}", "{{ s | remove_first: 'zz' }}"),
    "remove_last": ("{{ s | remove_last: 'o' }}", "{{ s | remove_last: 'zz' }}"),
    "replace": (
        "{{ s | replace: 'o', '0' }}",
        "{{ s | replace: '', '.' }}",
        "{{ s | replace: 'o' }}",
        "{{ 1.5 | replace: '.', ',' }}",
    ),
    "replace_first": ("{{ s | replace_first: 'o', '0' }}", "{{ s | replace_first: 'z', 'y' }}"),
    "replace_last": ("{{ s | replace_last: 'o', '0' }}", "{{ s | replace_last: 'z', 'y' }}"),
    "reverse": ("{{ l | reverse | join }}", "{{ (1..3) | reverse | join }}"),
    "round": ("{{ f | round }}", "{{ 2.346 | round: 2 }}", "{{ '4.6' | round }}"),
    "rstrip": ("[{{ ' x \t\r\n ' | rstrip }}]", "{{ a | rstrip }}"),
    "size": ("{{ s | size }}", "{{ l | size }}", "{{ a | size }}", "{{ s.size }}", "{{ l.size }}"),
    "slice": (
        "{{ s | slice: 2 }}",
        "{{ s | slice: 2, 5 }}",
        "{{ s | slice: -3, 2 }}",
        "{{ l | slice: 1, 2 | join }}",
        "{{ s | slice: '1', '3' }}",
        "{{ s | slice: 99, 3 }}",
    ),
    "sort": ("{{ l | sort | join }}", "{{ n | sort | join }}"),
    "sort_natural": ("{{ l | sort_natural | join }}", "{{ n | sort_natural | join }}"),
    "split": (
        "{{ s | split: ' ' | join: '|' }}",
        "{{ 'abc' | split: '' | join: '|' }}",
        "{{ 'a--b' | split: '-' | size }}",
        "{{ e | split: ',' | size }}",
    ),
    "squish": ("{{ '  a \n  b ' | squish }}", "{{ a | squish }}"),
    "strip": ("[{{ ' \t x \r\n' | strip }}]", "{{ f | strip }}"),
    "strip_html": (
        "{{ '<p>a <b>b</b></p>' | strip_html }}",
        "{{ '<script>x</script>y<!-- z -->' | strip_html }}",
        "{{ '1 < 2' | strip_html }}",
    ),
    "strip_newlines": ("{{ 'a\nb\r\nc' | strip_newlines }}", "{{ a | strip_newlines }}"),
    "sum": ("{{ n | sum }}", "{{ '1.5,2' | split: ',' | sum }}", "{{ (1..4) | sum }}"),
    "times": ("{{ a | times: 3 }}", "{{ 0.1 | times: 3 }}", "{{ '2' | times: '4' }}"),
    "truncate": (
        "{{ s | truncate: 14 }}",
        "{{ s | truncate: 14, '' }}",
        "{{ s | truncate: 99 }}",
        "{{ s | truncate }}",
        "{{ s | truncate: 12, ' (more)' }}",
    ),
    "truncatewords": (
        "{{ s | truncatewords: 2 }}",
        "{{ s | truncatewords: 2, '--' }}",
        "{{ s | truncatewords: 0 }}",
        "{{ s | truncatewords }}",
    ),
    "uniq": ("{{ l | uniq | join }}", "{{ n | concat: n | uniq | join }}"),
    "upcase": ("{{ s | upcase }}", "{{ 'straße' | upcase }}"),
    "url_decode": ("{{ 'a%20b+c%26' | url_decode }}", "{{ '%zz' | url_decode }}"),
    "url_encode": ("{{ 'a b&c=é' | url_encode }}", "{{ a | url_encode }}"),
}

TAGS: Final[dict[str, tuple[str, ...]]] = {
    "output": (
        "{{ a }}{{ f }}{{ s }}{{ t }}{{ e }}{{ nil }}",
        "{{ 'x' }}{{ \"y\" }}{{ 1 }}{{ -1.50 }}{{ true }}",
        "{{ l }}|{{ (1..3) }}",
        "{{ l[0] }}{{ l[-1] }}{{ l.first }}{{ l.last }}",
        "a{{- a -}} b {{ a -}} c",
        "{{ empty }}{{ blank }}",
        "{ {{ '}' }} }",
    ),
    "assign": (
        "{% assign x = a | plus: 1 %}{{ x }}",
        "{% assign x = 'y' %}{% assign x = x | append: x %}{{ x }}",
        "{% assign some-name = 1 %}{{ some-name }}",
        "{% assign x = (1..3) %}{{ x | join }}",
    ),
    "capture": (
        "{% capture x %}a{{ a }}{% endcapture %}[{{ x }}]",
        "{% capture x %}{% for i in l %}{{ i }}{% endfor %}{% endcapture %}{{ x | upcase }}",
    ),
    "case": (
        "{% case a %}{% when 1 %}one{% when 7 %}seven{% else %}none{% endcase %}",
        "{% case a %}{% when 1, 7 %}x{% endcase %}",
        "{% case s %}{% when 'a' or 'b' %}x{% else %}y{% endcase %}",
        "{% case e %}{% when empty %}empty{% endcase %}",
        "{% case a %} junk {% when 7 %}a{% when 7 %}b{% endcase %}",
    ),
    "comment": (
        "a{% comment %}b {{ c }} {% if %}{% endcomment %}d",
        "a{% comment %}{% comment %}b{% endcomment %}c{% endcomment %}d",
        "a{% # b %}c",
        "a{%- # b\n # c -%} d",
        "a{% comment %}{% raw %}b{% endraw %}{% endcomment %}c",
    ),
    "cycle": (
        "{% for i in (1..5) %}{% cycle 'a', 'b' %}{% endfor %}",
        "{% cycle 'x': 1, 2 %}{% cycle 'y': 1, 2 %}{% cycle 'x': 1, 2 %}",
        "{% cycle a, f %}{% cycle a, f %}",
    ),
    "echo": ("{% echo s | upcase %}", "{% echo a %}{% echo nil %}"),
    "for": (
        "{% for i in l %}{{ i }},{% endfor %}",
        "{% for i in (1..4) %}{{ i }}{% endfor %}",
        "{% for i in (1..a) limit: 2 offset: 3 %}{{ i }}{% endfor %}",
        "{% for i in l reversed %}{{ i }}{% endfor %}",
        (
            "{% for i in l limit: 2 %}{{ i }}{% endfor %}"
            "{% for i in l offset: continue %}{{ i }}{% endfor %}"
        ),
        "{% for i in e %}x{% else %}none{% endfor %}",
        "{% for i in (1..9) %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
        "{% for i in (1..4) %}{% if i == 3 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
        "{% for i in l %}{{ forloop.index }}{{ forloop.index0 }}{{ forloop.first }}{% endfor %}",
        "{% for i in l %}{{ forloop.rindex }}{{ forloop.rindex0 }}{{ forloop.last }}{% endfor %}",
        (
            "{% for i in (1..2) %}{% for j in (1..2) %}{{ forloop.parentloop.index }}{% endfor %}"
            "{% endfor %}"
        ),
        "{% for i in l %}{{ forloop.length }}{% endfor %}",
        "{% for i in s %}[{{ i }}]{% endfor %}",
        "{% for i in (3..1) %}x{% endfor %}",
    ),
    "if": (
        "{% if a == 7 %}y{% endif %}{% if a != 7 %}n{% endif %}{% if a <> 7 %}n{% endif %}",
        "{% if a > 6 %}a{% endif %}{% if a >= 7 %}b{% endif %}{% if a < 7 %}c{% endif %}",
        "{% if a <= 7.0 %}y{% endif %}",
        "{% if a == 1 %}1{% elsif a == 7 %}7{% else %}x{% endif %}",
        "{% if true and false or true %}y{% else %}n{% endif %}",
        "{% if false and true or true %}y{% else %}n{% endif %}",
        "{% if true or false and false %}y{% else %}n{% endif %}",
        "{% if s contains 'Major' %}y{% endif %}{% if l contains 'C' %}y{% endif %}",
        "{% if l contains 'z' %}y{% else %}n{% endif %}",
        "{% if nil %}y{% else %}n{% endif %}{% if 0 %}y{% endif %}{% if '' %}y{% endif %}",
        "{% if e == empty %}y{% endif %}{% if e == blank %}y{% endif %}",
        "{% if ' ' == blank %}y{% endif %}{% if ' ' == empty %}y{% else %}n{% endif %}",
        "{% if 'b' > 'a' %}y{% endif %}{% if nil < 1 %}y{% else %}n{% endif %}",
        "{% if t == true %}y{% endif %}{% if 1 == true %}y{% else %}n{% endif %}",
        "{% if (1..3) == (1..3) %}y{% endif %}",
        "{% if true %}   {% endif %}|",
    ),
    "ifchanged": (
        "{% for i in l %}{% ifchanged %}{{ i | downcase }}{% endifchanged %}{% endfor %}",
        "{% for i in (1..4) %}{% ifchanged %}x{% endifchanged %}{% endfor %}",
    ),
    "increment": (
        "{% increment c %}{% increment c %}{{ c }}",
        "{% assign c = 9 %}{% increment c %}{{ c }}",
        "{% decrement c %}{% decrement c %}{{ c }}",
        "{% increment c %}{% decrement c %}{% increment d %}",
    ),
    "raw": (
        "{% raw %}{{ a }}{% if %}{% endraw %}",
        "a {%- raw -%} b {%- endraw -%} c",
        "{% raw %}{{{% endraw %}",
    ),
    "tablerow": (
        "{% tablerow i in (1..3) cols: 2 %}{{ i }}{% endtablerow %}",
        "{% tablerow i in l limit: 2 %}{{ tablerowloop.col }}{% endtablerow %}",
        "{% tablerow i in (1..2) cols: 1 %}{{ tablerowloop.col_last }}{% endtablerow %}",
    ),
    "unless": (
        "{% unless a == 1 %}y{% endunless %}",
        "{% unless a == 7 %}y{% else %}n{% endunless %}",
        "{% unless a == 7 %}x{% elsif a > 3 %}y{% endunless %}",
    ),
    "white space": (
        "a\n{% if true -%}\n  b  \n{%- endif %}\nc",
        "a \r\n {%- assign x = 1 -%} \r\n b",
        "{% for i in (1..2) -%} {{ i }} {%- endfor %}",
        "a\r{{- 'b' }}\r c",
    ),
}
