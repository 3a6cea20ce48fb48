import type { FoundArticle } from './match-articles.ts'

/** A small knowledge base as a search would return it. */
export const RETURNS: FoundArticle = {
  id: 'returns.en',
  title: 'Returning something',
  body: 'You may return unopened items within **30 days** of delivery. The return label costs 3.90 €.\n\n- Print the label at [our page](https://shop.example/returns).\n- Hand the parcel to the carrier.',
  score: 0.8,
  language: 'en',
  intents: ['return_item'],
}
export const RETURNS_DE: FoundArticle = {
  id: 'returns.de',
  title: 'Artikel zurückgeben',
  body: 'Ungeöffnete Artikel nehmen wir innerhalb von 30 Tagen nach Lieferung zurück. Das Retourenlabel kostet 3,90 €.',
  score: 0.7,
  language: 'de',
  intents: ['return_item'],
}
export const DELIVERY: FoundArticle = {
  id: 'delivery.en',
  title: 'Delivery times and costs',
  body: 'Delivery to Germany takes 2 working days and costs 4.50 €. Delivery to Ireland takes 5 working days and costs 9 €.',
  score: 0.6,
  language: 'en',
  intents: ['delivery_options'],
}
