/// How pages look: one sheet for the report and the dashboard, for light, dark and paper.
package enum PageStyle {
  package static let sheet = """
    :root{color-scheme:light;--paper:#fbfaf7;--card:#fff;--ink:#1d2125;--soft:#5c636b;--line:#e4e1da;--accent:#1d5fa8;--wash:#eef3f9;\
    --good:#2d7a4f;--bad:#b3362b;--warn:#8f5f00;--idle:#5f666d;--rest:#b9bcc0;--code:#f4f2ec;--shadow:0 1px 2px #0000000a,0 4px 16px #0000000a}
    @media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;--paper:#131619;--card:#1a1e22;--ink:#e7e9eb;\
    --soft:#9aa3ab;--line:#2c3238;--accent:#7db4f0;--wash:#1d2731;--good:#6cc592;--bad:#f0857b;--warn:#dfb04e;--idle:#9aa3ab;--rest:#535b63;\
    --code:#1f2429;--shadow:none}}
    :root[data-theme=dark]{color-scheme:dark;--paper:#131619;--card:#1a1e22;--ink:#e7e9eb;--soft:#9aa3ab;--line:#2c3238;\
    --accent:#7db4f0;--wash:#1d2731;--good:#6cc592;--bad:#f0857b;--warn:#dfb04e;--idle:#9aa3ab;--rest:#535b63;--code:#1f2429;--shadow:none}
    *{box-sizing:border-box}
    html{scroll-behavior:smooth;scroll-padding-top:4rem;-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",\
    "DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
    .wrap{max-width:74rem;margin:0 auto;padding:0 1.5rem}
    header.top{padding:3rem 0 1.25rem}
    .eyebrow{margin:0;color:var(--soft);font-size:.78rem;letter-spacing:.09em;text-transform:uppercase}
    h1{margin:.2rem 0 .5rem;font-size:clamp(1.7rem,4vw,2.5rem);line-height:1.15;letter-spacing:-.02em;overflow-wrap:break-word}
    h2{margin:0 0 .9rem;font-size:1.3rem;letter-spacing:-.01em}
    h3{margin:1.6rem 0 .6rem;font-size:1rem}
    p{margin:.5rem 0;max-width:68ch}
    a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:2px}
    code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}.mono{overflow-wrap:anywhere}td .mono,td.mono{overflow-wrap:normal}
    code{background:var(--code);border-radius:4px;padding:.1em .35em}
    .lede{font-size:1.08rem;color:var(--soft)}
    .soft{color:var(--soft)}
    .small{font-size:.85rem}
    nav.page{position:sticky;top:0;z-index:5;background:color-mix(in srgb,var(--paper) 92%,transparent);backdrop-filter:blur(6px);\
    border-bottom:1px solid var(--line)}
    nav.page .wrap{display:flex;gap:1.25rem;align-items:center;overflow-x:auto;white-space:nowrap;scrollbar-width:none}
    nav.page a{color:var(--soft);text-decoration:none;padding:.7rem 0;font-size:.9rem;border-bottom:2px solid transparent}
    nav.page a:hover,nav.page a:focus-visible{color:var(--ink);border-color:var(--accent)}
    nav.page button,nav.page .status{margin-left:auto}nav.page .status+button{margin-left:0}
    .status{font-size:.82rem;color:var(--soft)}
    button,.button{font:inherit;font-size:.85rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;\
    padding:.3rem .7rem;cursor:pointer}
    button:hover{border-color:var(--accent)}
    :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
    section{margin:2.2rem 0 0}
    main.wrap{padding-bottom:4rem}
    .card{background:var(--card);border:1px solid var(--line);border-radius:10px;box-shadow:var(--shadow);padding:1.25rem 1.4rem}
    .tiles{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin:0;padding:0;list-style:none}
    .tiles li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.8rem 1rem;box-shadow:var(--shadow)}
    .tiles b{display:block;font-size:1.5rem;font-weight:620;letter-spacing:-.02em;line-height:1.25;overflow-wrap:break-word}
    .tiles span{color:var(--soft);font-size:.82rem}
    .bar{display:flex;height:.6rem;border-radius:99px;overflow:hidden;background:var(--line);gap:2px}
    .bar i{display:block;min-width:3px}
    .finished{--tone:var(--good)}.failed,.diverged{--tone:var(--bad)}.blocked{--tone:var(--warn)}.open,.running{--tone:var(--idle)}
    .running{--tone:var(--accent)}
    .bar i{background:var(--tone)}.bar i.open{background:var(--rest)}
    .legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.55rem 0 0;padding:0;list-style:none;font-size:.86rem;color:var(--soft)}
    .legend li::before,.dot::before{content:"";display:inline-block;width:.6rem;height:.6rem;border-radius:50%;background:var(--tone);\
    margin-right:.45rem}.legend li.open::before,.open>.dot::before,.dot.open::before{background:var(--rest)}
    .summary li{margin:.45rem 0;max-width:72ch}
    ul.summary{margin:0;padding-left:2.4rem}
    .short{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,3fr);gap:1rem;align-items:start}
    .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px;background:var(--card);box-shadow:var(--shadow)}
    .scroll.tall{max-height:34rem;overflow-y:auto}
    table{border-collapse:separate;border-spacing:0;width:100%;font-size:.92rem}
    th,td{padding:.5rem .8rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);vertical-align:top}
    tbody tr:last-child>*{border-bottom:0}
    th:first-child,td:first-child{text-align:left}
    .text th,.text td{text-align:left}
    td.text,th.text{text-align:left}
    thead th{position:sticky;top:0;background:var(--card);font-weight:600;color:var(--soft);font-size:.82rem;z-index:2;\
    box-shadow:inset 0 -1px var(--line)}
    tbody th{font-weight:560;position:sticky;left:0;background:var(--card);z-index:1}
    tbody th{white-space:normal;overflow-wrap:break-word;max-width:min(40vw,28rem);min-width:8rem}
    thead th:first-child{left:0;z-index:3}
    @media (max-width:700px){tbody th,thead th:first-child{position:static}}
    tbody tr:hover>*{background:var(--wash)}
    th button{all:unset;cursor:pointer;display:inline-flex;gap:.35em;align-items:baseline}
    th button:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
    th a[data-query]{color:inherit}th[aria-sort=ascending] a::after{content:" ↑"}th[aria-sort=descending] a::after{content:" ↓"}\
    th button::after{content:"↕";opacity:.35;font-size:.8em}
    th[aria-sort=ascending] button::after{content:"↑";opacity:1;color:var(--accent)}
    th[aria-sort=descending] button::after{content:"↓";opacity:1;color:var(--accent)}
    .value{font-weight:560}
    .sub{display:block;color:var(--soft);font-size:.8rem}
    .rank{color:var(--accent);font-size:.75rem;font-weight:600;margin-right:.5em}
    .warning{color:var(--bad);font-weight:600}
    details>summary{color:var(--accent)}details.run>summary{color:inherit}section details{margin:.8rem 0}.card details.run{margin:0}
    .tag{display:inline-block;font-size:.75rem;border:1px solid currentColor;color:var(--tone,var(--soft));border-radius:99px;\
    padding:0 .55em;line-height:1.5}
    .spark{display:block;margin-left:auto;overflow:visible}
    .spark path{fill:none;stroke:var(--accent);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
    .tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:0 0 .7rem}
    input[type=search]{font:inherit;font-size:.9rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:6px;\
    padding:.35rem .7rem;min-width:min(20rem,100%)}
    pre{background:var(--code);border:1px solid var(--line);border-radius:8px;padding:1rem 1.1rem;overflow-x:auto;line-height:1.5;margin:.6rem 0;\
    tab-size:2}
    pre .prompt{color:var(--soft);user-select:none}
    details.run{border-bottom:1px solid var(--line)}
    details.run:last-child{border:0}
    details>summary{cursor:pointer;padding:.5rem .2rem}
    details.run>summary{display:flex;gap:1rem;justify-content:space-between;align-items:baseline;list-style-position:inside}
    details.run:target{background:var(--wash)}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.1rem;margin:.3rem 0 1rem;font-size:.9rem}
    dt{color:var(--soft)}
    dd{margin:0;overflow-wrap:anywhere}
    .figures{display:grid;align-items:start;grid-template-columns:repeat(auto-fit,minmax(min(28rem,100%),1fr));gap:1.1rem}
    figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;box-shadow:var(--shadow)}
    figure>svg{display:block;width:100%;height:auto}
    figcaption{color:var(--soft);font-size:.85rem;margin-top:.5rem}
    footer{color:var(--soft);font-size:.82rem;border-top:1px solid var(--line);padding:1.2rem 0 3rem}
    .notes{margin:.8rem 0 0;padding:0;list-style:none;color:var(--soft);font-size:.86rem}
    .notes li{margin:.15rem 0}
    .notes .gap{padding-left:1rem}
    .swatches{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem}.swatches svg{vertical-align:-1px}
    .work{list-style:none;margin:0;padding:0}.work li{display:grid;grid-template-columns:minmax(0,1fr) minmax(8rem,16rem) 11rem;gap:.3rem 1.2rem;\
    align-items:center;padding:.45rem 0;border-bottom:1px solid var(--line)}.work li:last-child{border:0}.work .bar{height:.5rem}.work .bar i{background:var(--accent)}
    .work .bar i.rest{background:none}
    .work .sub{text-align:right}
    .sweeps{list-style:none;margin:0;padding:0;display:grid;gap:.9rem}.sweeps h3{margin:0 0 .5rem}.sweeps h3 .small{font-weight:400}
    pre.log{max-height:26rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:1rem}
    .chart text{fill:var(--soft);font:11px system-ui,sans-serif}.chart .name{fill:var(--ink);font-weight:600}\
    .chart .curve{fill:none;stroke:var(--accent);stroke-width:1.6;stroke-linejoin:round}.chart figcaption{color:var(--ink);font-weight:600;font-size:.82rem;margin:0 0 .4rem}.chart{padding:.8rem}.chart .seed{fill:none;stroke:var(--accent);stroke-width:1;opacity:.35}.chart .axis{stroke:var(--line)}.chart circle{fill:var(--accent)}.chart .cross{fill:none;stroke:var(--bad);stroke-width:1.6}
    .beside{display:grid;align-items:start;grid-template-columns:repeat(auto-fill,minmax(min(11rem,100%),1fr));gap:.8rem;margin:.8rem 0}\
    .beside figure{padding:.5rem}.beside figcaption{overflow-wrap:break-word}
    .course{margin-bottom:1rem}.pick{cursor:crosshair}line.at{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 2;pointer-events:none}
    .key{cursor:pointer}.key.off{opacity:.45}.key.off text{text-decoration:line-through}button[aria-pressed=true]{border-color:var(--accent);color:var(--accent)}
    output.values{display:block;min-height:1.6em;color:var(--soft);overflow-wrap:break-word}.charts>.tools{grid-column:1/-1;margin:0}
    .settings th,.settings td{white-space:normal;overflow-wrap:break-word;text-align:left}.settings td{overflow-wrap:anywhere}.settings tbody th{position:static;color:var(--soft);font-weight:400;width:1%;min-width:9rem;max-width:none}
    .facts{margin:.6rem 0 0;color:var(--soft)}.seeds a,.seeds b{margin-right:.5rem}
    [hidden]{display:none!important}
    @media (max-width:56rem){.short{grid-template-columns:minmax(0,1fr)}}
    @media (max-width:40rem){.work li{grid-template-columns:minmax(0,1fr)}.work .sub{text-align:left}.wrap{padding:0 1rem}header.top{padding-top:1.8rem}th,td{padding:.45rem .6rem}\
    nav.page .wrap{gap:1rem}.card{padding:1rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}.tiles{grid-template-columns:1fr 1fr}\
    .tiles b{font-size:1.2rem}ul.summary{padding-left:1.6rem}details.run>summary{flex-wrap:wrap;gap:.2rem .8rem}}
    @media print{@page{margin:16mm 14mm}:root,:root[data-theme]{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;\
    --line:#bbb;--accent:#1d5fa8;--wash:#fff;--code:#fff;--good:#2d7a4f;--bad:#b3362b;--warn:#8f5f00;--idle:#5f666d;--rest:#aaa;--shadow:none}
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
    body{font-size:9.5pt}.wrap{max-width:none;padding:0}header.top{padding:0 0 .6rem}nav.page,.tools,th button::after,.screen{display:none!important}
    .scroll,.scroll.tall{overflow:visible;max-height:none;border:0;border-top:1.5pt solid #000;border-bottom:1.5pt solid #000;border-radius:0}
    table{font-size:8.5pt}thead{display:table-header-group}thead th,tbody th{position:static}tr,figure,.tiles li{break-inside:avoid}
    .tiles{grid-template-columns:repeat(4,1fr)}.card,figure,.tiles li{border-color:#bbb}h2{break-after:avoid}section{margin-top:1.4rem}
    th,td{padding:.22rem .45rem;white-space:normal}td.text{overflow-wrap:anywhere}td[data-v],td:first-child{white-space:nowrap}\
    thead th button{display:contents}#each{display:none}.charts{grid-template-columns:repeat(3,1fr)}\
    .chart,figure{padding:.4rem}pre{white-space:pre-wrap;break-inside:auto}a{color:inherit;text-decoration:none}.figures{grid-template-columns:1fr 1fr}}
    """
}
