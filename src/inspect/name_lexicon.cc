#include "inspect/name_lexicon.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "inspect/name_text.h"

namespace gatehouse::inspect {
namespace {

// A word that is listed twice has its first cue.
constexpr std::pair<Cue, std::string_view> words[] = {
    {Cue::title,
     "mr mrs ms mx miss dr prof professor doctor sir madam lord lady rev reverend fr father sister "
     "capt captain col colonel lt sgt gen general maj judge justice senator sen rep president "
     "minister chancellor king queen prince princess pope coach herr frau hr fru herrn dhr mevr "
     "mevrouw meneer heer monsieur madame mme mlle maitre señor señora señorita sr sra srta don "
     "doña signor signora sig dott dottor dottoressa avv ing senhor senhora pan pani gospodin "
     "bay hanim sri shri smt"},
    {Cue::name,
     "name names named naam nom prénom nombre apellido nome cognome sobrenome nachname vorname "
     "familienname namn navn imię nazwisko firstname lastname fullname surname forename username "
     "call called calls heiße heißt appelle llamo chiamo heet known alias aka attn attention "
     "author authors contact customer client patient employee employer manager owner assignee "
     "reporter reviewer user member guest speaker host candidate applicant tenant landlord "
     "beneficiary holder cardholder account signed signature witness plaintiff defendant claimant "
     "suspect victim attendee attendees participants present cc bcc sender recipient payee payer "
     "maintainer copyright editor director artist singer actor actress starring featuring feat "
     "spokesman spokeswoman spokesperson ceo cto cfo founder founders nurse teacher student "
     "lawyer attorney detective officer agent colleague colleagues meet meeting kunde kundin "
     "client mitarbeiter ansprechpartner invitees nickname guardian passenger driver"},
    {Cue::greeting,
     "dear hi hello hey hiya thanks thank welcome congrats congratulations liebe lieber hallo "
     "sehr geehrte geehrter geehrtes bonjour salut cher chère merci hola querida querido estimado "
     "estimada gracias ciao gentile caro cara grazie beste geachte hoi prezado prezada olá "
     "obrigado hej kära kjære moi cześć drogi szanowny ahoj sorry ok okay bye goodbye dein deine"},
    {Cue::closing,
     "regards sincerely cheers best yours love cordially respectfully faithfully truly grüße "
     "grüßen gruß mfg vg lg cordialement sincèrement amicalement salutations atentamente saludos "
     "abrazo besos saluti cordiali distinti groet groeten groetjes vriendelijke abraços "
     "cumprimentos hälsningar vänliga hilsen vennlig mvh pozdrawiam"},
    {Cue::speech,
     "said says say asked asks told tells wrote writes replied replies answered answers added "
     "agreed thinks thought knows wants lives lived works worked joined left died born married "
     "met shouted whispered explained claimed stated announced refused confirmed met visited "
     "resigned moved smiled laughed looked loves speaking spoke talk talked"},
    {Cue::kin,
     "mother father mom dad mum wife husband son daughter sister brother aunt uncle cousin "
     "grandmother grandfather grandma grandpa partner friend friends boss neighbor neighbour "
     "roommate girlfriend boyfriend fiancé child kids baby nephew niece parents family colleague "
     "frau mann sohn tochter bruder schwester mutter vater mari femme fils fille hermano hermana "
     "hijo hija esposa marido moglie marito figlio figlia"},
    {Cue::address,
     "address addresses adresse adres dirección direccion indirizzo endereço adress adresa zip "
     "zipcode postcode postal postleitzahl plz cap code live lives living reside resides residing "
     "resident located location ship shipped shipping deliver delivered delivery mail send "
     "billing headquarters headquartered registered office moved visit corner taxi pick return "
     "wohne wohnt wohnhaft anschrift straße ort habite demeurant domicile vivo abito woon woont "
     "moro bor mieszkam domicilio residence home parcel package"},
    {Cue::street,
     "street st str avenue ave av road rd lane ln drive dr boulevard blvd court ct place pl way "
     "terrace ter close crescent cres highway hwy parkway pkwy square sq circle cir trail row "
     "walk mews gardens grove alley plaza loop turnpike expressway route crossing bypass heights "
     "hill hills ridge meadow meadows valley view vista junction mission station estate estates "
     "freeway causeway quay wharf parade esplanade promenade utca út útja tér cesta sokak sokağı "
     "caddesi mahallesi bulvarı nagar marg chowk katu tie väg vägen gatan gata vej gade weg "
     "straße strasse allee platz gasse straat laan plein kuja polku enparantza kalea"},
    {Cue::way,
     "rue via viale piazza piazzale corso largo vicolo calle calles avenida paseo plaza plz "
     "camino carrera ronda glorieta rua travessa praça praca estrada largo ulica ul aleja al "
     "aleje plac pl osiedle os boulevard chemin allée impasse quai cours c place nábřeží "
     "náměstí trg ulice strada șoseaua bd bulevardul calea aleea улица ул проспект пр переулок "
     "пер пл площадь вулиця вул бульвар шоссе ш наб οδός λεωφόρος privada callejón cerrada "
     "jalan jl gang am an im auf alte obere untere große neue lange"},
    {Cue::unit,
     "apt apartment suite ste unit floor fl flat room rm building bldg block bloc blk etage piso "
     "planta puerta appartement appt bâtiment bat interno scala stiege top tür og eg bus lok "
     "lokal m bl sc et ap apto bloco кв дом д корпус к стр буд house no nr number num"},
    {Cue::box,
     "po box pob psc apo fpo dpo postfach postbus apartado bp casella skrytka postboks boks "
     "poste restante gpo"},
    {Cue::state,
     "ak az ca co ct dc de fl ga ia id il ks ky la ma md mi mn mo ms mt nc nd ne nh nj nm nv ny "
     "pa ri sc sd tn tx ut va vt wa wi wv wy ab bc mb nb nl ns nt nu on pe qc sk yt nsw vic qld "
     "tas act aa ae ap ar hi me oh ok or in uk usa us gb"},
    {Cue::side,
     "north south east west northeast northwest southeast southwest n s e w ne nw se sw upper "
     "lower old new saint sankt san santa são port lake mount fort"},
    {Cue::month,
     "january february march april may june july august september october november december jan "
     "feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday "
     "saturday sunday mon tue wed thu fri sat sun"},
    {Cue::particle,
     "van der den von zu zum zur de del della di da das dos do du la le los las el al bin ibn "
     "ben bint abu ap af av y e ter ten mac mc o d l"},
    {Cue::suffix, "jr snr jnr ii iii iv phd md esq mba cpa dds rn bsc msc"},
    {Cue::business,
     "inc llc ltd limited plc corp corporation company co gmbh ag kg sa sas sarl srl spa bv nv ab "
     "oy as aps university college school institute bank hospital group foundation church hotel "
     "restaurant museum airport club league party council committee ministry department agency "
     "insurance systems software technologies solutions holdings partners records studios media "
     "labs union association society international motors airlines press theatre library center "
     "centre stadium park bridge river"},
    {Cue::self,
     "i am im is this it my me we he she his her our your their who you ich bin mein "
     "meine je suis mon ma mi soy yo me mijn ik ben meu eu io sono der"},
    {Cue::from,
     "in at to from by with for of and & near on under about via between as ask tell "
     "und mit bei aus nach et avec chez con en y für to's than like not or after before "
     "nor neither both"},
    {Cue::stop,
     "the a an that these those there here what when where why how which if then else but so "
     "because while until since be been was were are do does did done has have had can could "
     "will would shall should may might must no yes all any some each every other another such "
     "only also just very more most less least many much few first second last next new one two "
     "three they them its us let please note use see get set make file line page section chapter "
     "table figure das die ein eine einer eines des dem ist sind nicht auch oder aber wenn wie "
     "was les un une est sont ne pas que qui dans sur pour par il elle nous vous una unos es son "
     "se lo por para che non per gli het een niet zijn te dat um uma os na no em"},
};

struct Ending {
  std::uint64_t letters = 0;
  std::uint64_t mask = 0;
  std::size_t size = 0;

  constexpr unsigned last() const { return static_cast<unsigned>(letters & 0xFF); }

  constexpr Ending() = default;
  constexpr Ending(std::string_view text) : size(text.size()) {  // NOLINT: a list of texts
    for (const char c : text) {
      letters = letters << 8 | static_cast<std::uint8_t>(c);
      mask = mask << 8 | 0xFF;
    }
  }
};

// As folded letters: ß is s, å is a.
constexpr std::string_view ending_texts[] = {
    "strase", "strasse", "straat", "weg",   "platz",  "allee",  "gasse", "laan",  "plein", "gracht",
    "gatan",  "vagen",   "gata",   "vej",   "veien",  "vegen",  "gade",  "katu",  "tie",   "steig",
    "ufer",   "damm",    "kade",   "dreef", "singel", "alleen", "kuja",  "grand", "vagur", "vegur",
    "markt",  "hof",     "dijk",   "stien", "plads",  "torget", "polku", "str",   "ring"};
constexpr auto endings = [] {
  std::array<Ending, std::size(ending_texts)> out{};
  std::ranges::copy(ending_texts, out.begin());
  std::ranges::sort(out, {}, &Ending::last);
  return out;
}();
// The first of them that ends with a letter, or a later one.
constexpr auto first_endings = [] {
  std::array<std::uint8_t, 257> first{};
  for (unsigned last = 0; last < first.size(); ++last)
    first[last] = static_cast<std::uint8_t>(
        std::ranges::lower_bound(endings, last, {}, &Ending::last) - endings.begin());
  return first;
}();

}  // namespace

Lexicon::Lexicon() : slots_(mask + 1) {
  for (const auto& [cue, list] : words) {
    for (std::size_t at = 0; at < list.size();) {
      const std::size_t end = std::min(list.find(' ', at), list.size());
      const std::uint64_t hash = hash_word(list.substr(at, end - at));
      std::size_t slot = hash & mask;
      while (slots_[slot] != 0 && (slots_[slot] & ~cue_bits) != tag(hash)) slot = (slot + 1) & mask;
      if (slots_[slot] == 0) slots_[slot] = tag(hash) | static_cast<std::uint32_t>(cue);
      at = end + 1;
    }
  }
}

bool ends_as_street(std::uint64_t tail, std::size_t size) {
  const std::size_t last = tail & 0xFF;
  const auto alike = std::span(endings).subspan(
      first_endings[last], static_cast<std::size_t>(first_endings[last + 1] - first_endings[last]));
  return std::ranges::any_of(alike, [&](const Ending& ending) {
    return (tail & ending.mask) == ending.letters && size >= ending.size + 2;
  });
}

}  // namespace gatehouse::inspect
