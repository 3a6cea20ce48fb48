/**
 * One statement: $1 organization, $2 words (most telling first), $3 preferred language or null, $4 preferred tags,
 * $5 how many, $6 the beginning of the text itself.
 *
 * Row-level security keeps the planner from using the index on `search` (`@@` is not leakproof), so every article of
 * the tenant is looked at once: `docs` unpacks its vector, and all that follows works on the unpacked ones. The planner
 * has no idea how many rows that gives; windows in place of joins keep it from choosing badly.
 *
 * An article's score is the share of the text's weight that it covers. A word weighs its inverse document frequency
 * among the articles of that language; found in title or tags it counts in full, in the body three quarters. A word
 * found nowhere may be misspelt: by trigrams it stands for one of the title and tag words, or it is a compound that begins
 * with one. A title that is asked for as a whole is worth a tenth more, one that reads like the text up to a fifth.
 */
export const SEARCH_SQL = `
with docs as materialized (
  select id, config, language, tagged, words, ts_filter(words, '{a,b}') as head, ts_filter(words, '{a}') as title
  from (
    select id, language, tags && $4::text[] as tagged, search || ''::tsvector as words,
      case language when 'en' then 'english'::regconfig when 'de' then 'german'::regconfig
        when 'es' then 'spanish'::regconfig when 'fr' then 'french'::regconfig else 'simple'::regconfig end as config
    from article where organization_id = $1::uuid offset 0
  ) unpacked
),
terms as materialized (
  select row_number() over () as term, config, total, query, min(word) as word, min(place) as place
  from (
    select c.config, c.total, w.word, w.place, plainto_tsquery(c.config, w.word) as query
    from (select config, count(*)::float8 as total from docs group by config) c,
      unnest($2::text[]) with ordinality w(word, place)
  ) t
  where numnode(query) > 0 group by config, total, query
),
found as materialized (
  select t.term, t.config, d.id, d.language, d.tagged, length(d.title) as title_words, d.title @@ t.query as in_title,
    case when d.head @@ t.query then 1.0 else 0.75 end::float8 as fit,
    ln(1 + (t.total - count(*) over (partition by t.term) + 0.5) / (count(*) over (partition by t.term) + 0.5)) as weight
  from terms t join docs d on d.config = t.config and d.words @@ t.query
),
missing as materialized (
  select term, config, btrim(query::text, '''') as stem, ln(1 + (total + 0.5) / 0.5) as weight,
    row_number() over (partition by config order by place) as place
  from terms where term not in (select term from found)
),
names as materialized (
  select d.config, h.lexeme, array_agg(d.id) as ids from docs d, unnest(d.head) h
  where length(h.lexeme) >= 4 and d.config in (select config from missing) group by d.config, h.lexeme
),
alike as materialized (
  select m.term, m.config, m.weight, n.ids,
    case when length(n.lexeme) >= 6 and starts_with(m.stem, n.lexeme) then 0.7
      else 0.8 * word_similarity(m.stem, n.lexeme) end as fit
  from missing m join names n on n.config = m.config and left(n.lexeme, 1) = left(m.stem, 1)
  where m.place <= 8 and length(m.stem) >= 4 and (
    (length(n.lexeme) >= 6 and starts_with(m.stem, n.lexeme))
    or (abs(length(n.lexeme) - length(m.stem)) <= 3 and word_similarity(m.stem, n.lexeme) >= 0.42))
),
asked as materialized (
  select config, sum(weight) as weight from (
    select distinct term, config, weight from found union all select term, config, weight from missing
  ) t group by config
),
covered as (
  select id, config, language, tagged, title_words, sum(weight * fit) as weight, count(*) filter (where in_title) as in_title
  from (
    select id, config, language, tagged, title_words, weight, fit, in_title from found
    union all
    select d.id, d.config, d.language, d.tagged, length(d.title), a.weight, a.fit, false
    from alike a join docs d on d.id = any(a.ids)
    union all
    select id, config, language, tagged, length(title), 0, 0, false from docs where tagged
  ) each_word
  group by id, config, language, tagged, title_words
),
scored as (
  select c.id, c.config,
    case when $3::text is null or c.language = $3 then 1 else 0.5 end as preference, c.tagged,
    (1 - exp(-2 * c.weight / least(a.weight, 4))) * (0.2 + 0.8 * c.weight / a.weight)
      * (0.9 + 0.1 * c.in_title / greatest(1, c.title_words)) as fit
  from covered c join asked a on a.config = c.config
),
best as (
  select s.id, s.config, q.query,
    least(1, s.preference * case when s.tagged then 0.3 + 0.7 * s.fit else s.fit end)::float8 as score
  from scored s
  join (select config, string_agg(query::text, ' | ')::tsquery as query from terms group by config) q on q.config = s.config
  order by score desc, s.id limit $5::int + 10
)
select a.id, a.external_id as "externalId", a.title, a.body, a.language, a.tags,
  a.created_at as "createdAt", a.updated_at as "updatedAt", round(b.score::numeric, 4)::float8 as score,
  case when length(a.body) <= 300 then a.body else ts_headline(b.config, left(a.body, 20000), b.query,
    'StartSel="", StopSel="", MaxWords=50, MinWords=20, MaxFragments=1') end as excerpt
from (
  select b.id, b.config, b.query, ts_rank_cd(d.words, b.query) as density,
    b.score + (1 - b.score) * 0.2 * similarity(lower(t.title), $6) as score
  from best b join docs d on d.id = b.id join article t on t.organization_id = $1::uuid and t.id = b.id
  order by score desc, density desc, b.id limit $5::int
) b
join article a on a.organization_id = $1::uuid and a.id = b.id
order by b.score desc, b.density desc, b.id`
