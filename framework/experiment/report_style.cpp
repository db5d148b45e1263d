#include "framework/experiment/report_parts.h"

namespace bitnet {
namespace {

// Series colors: blue and vermilion, told apart by all common kinds of color vision and, by lightness, in gray;
// markers, dashes and words say the same again.
constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#f5f6f8;--surface:#fff;--ink:#18212d;--muted:#566272;--rule:#dfe4ea;--soft:#eef1f5;
--s0:#0b62ae;--s1:#c04f08;--s2:#8a4a8f;--s3:#3b7a2a;--s4:#7a6a00;--s5:#444c56;--better:#0b6a4f;--worse:#a6222e;
--better-soft:#e5f3ee;--worse-soft:#fbeaea;--mark:#fff3cf;--zero:#c9d1da}
@media (prefers-color-scheme:dark){:root{--bg:#0e131a;--surface:#161d26;--ink:#e5eaf0;--muted:#9ba8b7;--rule:#2a3440;
--soft:#1e2732;--s0:#62b5f4;--s1:#f0a05a;--s2:#d59ad9;--s3:#8fce7a;--s4:#dccb5a;--s5:#b9c2cc;--better:#63cda6;
--worse:#ff9494;--better-soft:#15302a;--worse-soft:#3a2026;--mark:#4a3d12;--zero:#4a5664}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
header,main,footer{max-width:1320px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
h1{font-size:2rem;line-height:1.2;margin:0 0 4px;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.35rem;line-height:1.3;margin:0 0 4px;letter-spacing:-.01em}
h3{font-size:1.02rem;margin:24px 0 6px}h4{font-size:.95rem;margin:20px 0 4px}
p{margin:0 0 12px;max-width:76ch}
.eyebrow{font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--muted);
margin:0 0 6px}
.lead{color:var(--muted);margin-bottom:20px}
.scroll+.note{margin-top:16px}
.note,.small{color:var(--muted);font-size:.87rem}
.small{display:block;line-height:1.4}
section{background:var(--surface);border:1px solid var(--rule);border-radius:10px;padding:26px 28px 28px;
margin:0 0 22px}
section.verdict{border-left:5px solid var(--s0);padding-top:22px}
.verdict .say{font-size:1.06rem;line-height:1.5;margin:0 0 16px;max-width:80ch;text-wrap:pretty}
.alert{border:2px solid var(--worse);background:var(--worse-soft);border-radius:8px;padding:10px 14px;max-width:none}
.winners{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,240px),1fr));gap:12px;
margin:6px 0 18px;padding:0}
.winners li{border:1px solid var(--rule);border-top:4px solid var(--muted);border-radius:8px;padding:10px 14px;
color:var(--ink)}
.winners li.better{border-top-color:var(--better)}.winners li.worse{border-top-color:var(--worse)}
.winners .where{display:block;font-size:.8rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;
color:var(--muted)}
.winners strong{display:block;font-size:1.08rem;line-height:1.35}
dl.meta{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,190px),1fr));gap:12px 28px;margin:0 0 18px}
dl.meta dt{font-size:.8rem;color:var(--muted)}
dl.meta dd{margin:0;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.86rem}
code{overflow-wrap:anywhere}tbody th code{overflow-wrap:break-word}
pre{background:var(--soft);border-radius:6px;padding:12px 14px;margin:0;overflow-x:auto;line-height:1.5}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 22px;padding:0;font-size:.92rem}
a{color:var(--s0);text-underline-offset:3px}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--s0);outline-offset:2px}
.scroll{overflow-x:auto;margin:12px 0 0}.scroll+.scroll{margin-top:30px}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;color:var(--muted);font-size:.87rem;padding:0 0 8px}
th,td{text-align:left;vertical-align:top;padding:9px 14px 9px 0;border-bottom:1px solid var(--rule)}
th{font-weight:600}
thead th{font-size:.82rem;color:var(--muted);border-bottom-color:var(--muted);vertical-align:bottom}
tbody th{font-weight:500}
tbody tr:last-child>*{border-bottom:0}
.numeric td,.numeric thead th:not(:first-child),.num{text-align:right}
.cards th,.cards td{padding-right:12px}
.numeric td{white-space:nowrap}
.numeric th:last-child,.numeric td:last-child{padding-right:2px}
.deltas{font-size:.9rem}.deltas td.num{white-space:nowrap}
.deltas td.num .small{white-space:normal}
.range{white-space:nowrap}.delta{font-weight:650;white-space:nowrap}
.better{color:var(--better);fill:var(--better)}.worse{color:var(--worse);fill:var(--worse)}
.neither{color:var(--muted);fill:var(--muted)}
.tag{display:inline-block;padding:1px 9px;border-radius:8px;font-size:.84rem;font-weight:600;background:var(--soft)}
.tag.better{background:var(--better-soft)}.tag.worse{background:var(--worse-soft)}
.chip{white-space:nowrap}.chip svg{width:12px;height:12px;margin-right:6px;vertical-align:-1px}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:22px}
.columns>*{min-width:0}
.findings ul,.limits ul{padding-left:20px;margin:8px 0 0}
.findings li,.limits li{margin:0 0 9px;max-width:76ch}
.card{border-top:3px solid var(--rule);padding-top:12px}.card h3{margin-top:0}
.card.better{border-color:var(--better);color:inherit}.card.worse{border-color:var(--worse);color:inherit}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;margin:6px 0 8px;font-size:.88rem}
.legend svg{width:30px;height:12px;margin-right:6px;vertical-align:-1px}
figure{margin:18px 0 0;min-width:0}figcaption{font-size:.87rem;color:var(--muted);margin-top:4px;max-width:76ch}
figure h3{margin:0 0 2px}
svg.wide,svg.narrow{display:block;width:100%;height:auto;overflow:visible}svg.narrow{display:none;max-width:520px}
svg text{font-family:inherit;fill:var(--ink);font-size:inherit}
svg .tick,svg .axis-name,svg .row-note{fill:var(--muted)}svg .row-note{font-size:.87em}
.grid{stroke:var(--rule)}.axis{stroke:var(--muted)}.zero{stroke:var(--ink);stroke-width:1.4}
.band{stroke:var(--muted);stroke-dasharray:2 4}
.reference{stroke:var(--ink);stroke-width:1.3;stroke-dasharray:7 4}svg .reference-name{font-size:.95em;
stroke:var(--surface);stroke-width:4px;
stroke-linejoin:round}
.curve{fill:none;stroke-width:1.9;stroke-linejoin:round}.curve.faint{stroke-width:1;opacity:.38}
.curve.s1{stroke-dasharray:6 2.5}.curve.s2{stroke-dasharray:2 3}.curve.s3{stroke-dasharray:10 3 2 3}
.curve.faint.s0,.curve.faint.s1,.curve.faint.s2,.curve.faint.s3{stroke-dasharray:none}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{
stroke:var(--s5)}
.marker{fill:var(--surface);stroke-width:2.2}
.whisker{stroke-width:2}.whisker.better{stroke:var(--better)}.whisker.worse{stroke:var(--worse)}
.whisker.neither{stroke:var(--muted)}
.dot{stroke:none;opacity:.5}.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}
.dot.s4{fill:var(--s4)}.dot.s5{fill:var(--s5)}.middle{stroke-width:2.4}
.bound{stroke:var(--ink);stroke-width:3}
.stack{stroke:var(--surface);stroke-width:1}.p0{fill:var(--s0)}.p1{fill:var(--s1)}.p2{fill:var(--s3)}.p3{fill:var(--zero)}
.share.minus{fill:var(--s1)}.share.none{fill:var(--zero)}.share.plus{fill:var(--s0)}
svg .share-name{font-size:.92em}svg .share-name.minus,svg .share-name.plus{fill:var(--surface);font-weight:600}
details{margin-top:14px}summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}
figure+details{margin-top:6px}figure+details>summary{font-size:.87rem}
.program{border-top:1px solid var(--rule);padding-top:8px;margin-top:8px}.program summary{font-size:.93rem}
.program pre{max-height:26em;overflow:auto}.result{margin:10px 0 6px}.prompt{color:var(--muted)}
.evaluator{border-top:1px solid var(--rule);margin-top:22px}.evaluator h3{margin-top:16px}
.evaluator>.chart,.columns>.chart:only-child{max-width:560px}
.answers{margin:0;padding-left:18px}.second{margin-top:6px}
.over{background:var(--mark);border-radius:3px}
.over::after{content:" \25C6 overridden";font-size:.85em;color:var(--muted)}
footer{color:var(--muted);font-size:.85rem;padding-bottom:40px}
@media screen and (max-width:800px){
header,main,footer{padding-left:14px;padding-right:14px}header{padding-top:24px}
section{padding:20px 16px 22px}h1{font-size:1.6rem}
svg.wide{display:none}svg.narrow{display:block}
.numeric{font-size:.84rem}.numeric td,.numeric th{padding-right:8px}.numeric .small{font-size:.78rem}
.cards,.cards tbody,.cards caption{display:block}.cards thead{position:absolute;clip-path:inset(50%);height:1px;
overflow:hidden}
.cards tr{display:grid;grid-template-columns:minmax(92px,max-content) minmax(0,1fr);gap:3px 14px;padding:14px 0;
border-bottom:1px solid var(--rule)}
.cards th,.cards td{display:contents}.cards .cell{min-width:0;text-align:left;white-space:normal;overflow-wrap:anywhere}
.cards .label{display:block;text-align:left;max-width:108px;
overflow-wrap:anywhere;white-space:normal;color:var(--muted);font-size:.84rem}
.cards th .cell{font-weight:650}.cards th .small{font-weight:400}
.winners{gap:8px}.winners li{padding:7px 12px}
table:not(.numeric):not(.cards){table-layout:fixed}
table:not(.numeric):not(.cards) :is(th,td){overflow-wrap:anywhere}
table:not(.numeric):not(.cards) th:first-child{width:36%}
}
@media print,(min-width:800.02px){.cards .label{display:none}.deltas tbody th{min-width:150px;width:20%}
.deltas td.interval{min-width:130px;width:16%}}
@media print{
@page{size:auto;margin:14mm}
html{font-size:8.6pt}
:root{color-scheme:light;--bg:#fff;--surface:#fff;--ink:#000;--muted:#444;--rule:#ccc;--soft:#f3f3f3;--s0:#0b62ae;
--s1:#c04f08;
--s2:#8a4a8f;--s3:#3b7a2a;--s4:#7a6a00;--s5:#444c56;--better:#0b6a4f;--worse:#a6222e;--better-soft:#e5f3ee;
--worse-soft:#fbeaea;--mark:#fff3cf;--zero:#c9d1da}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:1rem}header,main,footer{max-width:none;padding-left:0;padding-right:0}nav{display:none}
section{border:0;border-top:1px solid var(--rule);border-radius:0;padding:14px 0}
figure,tr,li,dl.meta>div{break-inside:avoid}h2,h3{break-after:avoid}
.scroll,pre{overflow:visible}pre{white-space:pre-wrap}
details:not(.program)::details-content{content-visibility:visible;block-size:auto}
.columns{grid-template-columns:1fr 1fr}.columns svg.wide{display:none}.columns svg.narrow{display:block}
th,td{padding-top:5px;padding-bottom:5px}.cards th,.cards td,.numeric th,.numeric td{padding-right:8px}
.deltas{font-size:.84rem}.deltas tbody th{min-width:9.5em}.deltas td.interval{min-width:0}
.numeric tbody th code{overflow-wrap:normal}
}
)css";

}  // namespace

std::string_view report_style() { return kStyle; }

}  // namespace bitnet
