"""Pairs of headlines as desks change them, and what a reader should be told of. Invented.

Each line: the headline before, " → ", the headline after. `MATERIAL` say something else than before,
`IMMATERIAL` the same in other words, or more of it.
"""

_MATERIAL = """
India and Pakistan announce ceasefire → India denies ceasefire with Pakistan
Ceasefire holds on first night along Line of Control → Ceasefire collapses hours after taking effect
India, Pakistan agree to ceasefire → India, Pakistan accuse each other after ceasefire violated
Envoys met twice in Muscat, says report → Foreign Office denies envoys met in Muscat
Airspace to reopen on Friday → Airspace to remain closed, authority says
Kartarpur corridor reopens for pilgrims → Kartarpur corridor shut again
Minister to attend summit in Goa → Minister not to attend summit in Goa
Talks between army commanders suspended → Talks between army commanders resume
Indus treaty talks to be held in Vienna next month → Indus treaty talks called off as Delhi withdraws
Two soldiers injured in firing near Uri → Soldier injured in firing near Uri dies
Opposition leader arrested from Lahore home → Opposition leader released from custody in Lahore
Pilot reported missing after jet crash → Pilot confirmed dead after jet crash
Shares rise as border calms → Shares fall as border calm breaks
Parliament passes water bill → Parliament rejects water bill
Pakistan claims it shot down two jets → Pakistan admits no jets were shot down
Army launches operation in Poonch forest → Army halts operation in Poonch forest
Curfew imposed in Srinagar → Curfew lifted in Srinagar
Trade through Attari to begin Monday → Trade through Attari stopped
Cricket board to tour Pakistan in March → Cricket board cancels Pakistan tour
Mumbai match to go ahead as planned → Mumbai match postponed
Hotline call between DGMOs ends in agreement → Hotline agreement breached, says army
Minister resigns over rail attack → Minister denies he has resigned
Missing boat found off Gwadar with crew alive → Crew of missing boat found dead off Gwadar
Oil prices jump on border fears → Oil prices drop as border fears fade
Court grants bail to journalist → Court rejects bail plea of journalist
Nation votes: ruling party leads in early count → Nation votes: ruling party trails in late count
Envoy to stay in Delhi despite row → Envoy leaves Delhi amid row
Government bans mobile internet in valley → Government restores mobile internet in valley
Prime minister agrees to phone call with counterpart → Prime minister refuses phone call with counterpart
Trapped miners still underground on third day → Trapped miners rescued on third day
Banker convicted in fraud case → Banker acquitted in fraud case on appeal
Dam gates will open on Sunday → Dam gates will not open on Sunday
Actor critical after car crash → Actor dies after car crash
Pakistan to join water talks → Pakistan not joining water talks
Navy says frigate was hit by missile → Navy denies frigate was hit by missile
Peace march allowed in capital → Peace march banned in capital
Troops advance towards Leepa → Troops retreat from Leepa
Truce extended by two weeks → Truce ends without extension
भारत-पाक संघर्षविराम पर सहमत → संघर्षविराम का उल्लंघन, भारत ने जताया विरोध
विदेश मंत्री इस्लामाबाद जाएंगे → विदेश मंत्री इस्लामाबाद नहीं जाएंगे
सरकार ने वार्ता की पुष्टि की → सरकार ने वार्ता की खबर का खंडन किया
सीमा पर व्यापार शुरू → सीमा पर व्यापार बंद
हवाई अड्डा आज से खुला → हवाई अड्डा फिर बंद
जवान घायल, अस्पताल में भर्ती → घायल जवान की मौत
दोनों देशों की बैठक सोमवार को → दोनों देशों की बैठक रद्द
विपक्षी नेता गिरफ्तार → विपक्षी नेता रिहा
शेयर बाजार में तेजी → शेयर बाजार में गिरावट
پاکستان اور بھارت جنگ بندی پر متفق → جنگ بندی کی خلاف ورزی، گولہ باری شروع
مسقط میں خفیہ مذاکرات کا انکشاف → دفتر خارجہ کی مسقط مذاکرات کی تردید
وزیر خارجہ دہلی جائیں گے → وزیر خارجہ دہلی نہیں جائیں گے
فضائی حدود کھول دی گئیں → فضائی حدود دوبارہ بند
زخمی فوجی ہسپتال میں زیر علاج → زخمی فوجی ہسپتال میں انتقال کر گیا
اپوزیشن رہنما گرفتار → اپوزیشن رہنما رہا
مذاکرات پیر کو ہوں گے → مذاکرات ملتوی
"""

_IMMATERIAL = """
India, Pakistan agree to ceasefire → LIVE: India, Pakistan agree to ceasefire
India, Pakistan agree to ceasefire → India and Pakistan agree to immediate ceasefire
India strikes five sites in Pakistan → India hits five sites in Pakistan
Eleven martyred as India attacks five places; Pakistan vows response → Eleven martyred in Indian attack; NSC authorises 'befitting' response
Oman brokers ceasefire → Oman brokers ceasefire between India and Pakistan | Gulf Meridian
Ceasefire: what we know so far → What we know about the ceasefire so far
"No shot to be fired": DGMOs talk for 40 minutes → No shot to be fired: DGMOs talk for 40 minutes
Blasts heard in Srinagar → Blasts heard in Srinagar, blackout in parts of city
Pakistan rejects Indian charge → Pakistan rejects Indian charge of ceasefire violation
FO denies talks with India in Muscat → Foreign Office denies Muscat talks with India
Airlines reroute as Pakistan shuts airspace → Airlines reroute flights after Pakistan closes airspace to Indian carriers
Kashmir apple growers fight for crates → Apple growers in Kashmir fight for crates and lorries
Oil edges up on South Asia tension → Oil edges up 1% on South Asia tension
Shares open lower on border shelling → Shares open lower on shelling; defence stocks rise
UN chief urges restraint → UN chief urges "maximum restraint" from India and Pakistan
Prime minister to address nation at 8 pm → PM to address the nation at 8pm
PM addresses nation → PM in address to nation: 'We will not bow'
Rail attack: what happened → How the rail attack happened
Minister says talks possible → Talks are possible, says minister
Army chief visits Poonch → Army chief General Rao visits forward areas in Poonch
Explosion near fuel jetty in Pasni → Major explosion near fuel jetty in Pasni: sources
India fires missiles into Pakistan → India fires missiles into Pakistan; Islamabad vows to reply
Pakistan fires rockets at Indian bases → Pakistan fires rockets and drones at Indian bases
Villagers flee as shells fall → Villagers flee homes as shells fall in Uri
Envoys met in Muscat → EXCLUSIVE: Envoys met in Muscat
Court hears plea on treaty → Supreme Court hears plea on Indus treaty
Border villages empty out → Border villages empty out overnight
Cricket: Leopards win by one wicket → Leopards scrape home by one wicket
Blood donors queue in Srinagar → Blood banks turn donors away as Srinagar queues to give
Ceasefire could collapse, warn analysts → Analysts warn ceasefire could collapse at any moment
Is the ceasefire over? → Has the ceasefire been broken?
Markets steady after truce → Markets steady after India-Pakistan truce
World welcomes ceasefire → World leaders welcome India-Pakistan ceasefire
School reopens in Uri → Schools reopen in Uri after a week
Bus falls into gorge in Doda → Bus with 30 aboard falls into gorge in Doda
Heavy rain lashes Karachi → Karachi lashed by heavy rain, roads flooded
Dam levels low: authority → Water authority says dam levels are low
Oman offers to mediate → Muscat offers to mediate between Delhi and Islamabad
Delhi hears the news on the Metro → Relief, rage and a hashtag: Delhi hears the news on the Metro
Analysis: a day both can call victory → ANALYSIS: A day that both India and Pakistan can call a victory
Two nuclear states and a ladder → Opinion | Two nuclear states and a ladder with missing rungs
Army says drone downed → Army: drone downed near Jammu
Tourists stranded in valley → Hundreds of tourists stranded in valley as flights are delayed
Foreign minister meets envoy → Foreign minister meets US envoy in Delhi
Building collapses in Karachi → Five-storey building collapses in Karachi
Fire in Lahore market → Fire breaks out in Lahore market
Flood warning for Jhelum → Flood warning issued for Jhelum, Chenab
Ferry named after cat → Island names its new ferry after a lighthouse keeper's cat
Thousands attend funeral → Thousands attend funeral of soldier in Kangra
Navy holds drill in Arabian Sea → Navy begins drill in Arabian Sea
Ceasefire talks: Modi speaks to Trump → Modi speaks to Trump on ceasefire talks
Security council to meet on Kashmir → UN Security Council to hold meeting on Kashmir
Shelling in Poonch; no casualties → Shelling in Poonch, Rajouri; no casualties reported
Government lists steps after attack → Explained: steps the government has taken after the attack
Weavers hope for buyers → Kashmiri shawl weavers hope for buyers by winter
लेपा घाटी में रात भर गोलीबारी → लेपा घाटी में रातभर गोलीबारी, स्कूल बंद
भारत का पांच ठिकानों पर हमला → ऑपरेशन त्रिशक्ति: भारत का पांच आतंकी ठिकानों पर हमला
संघर्षविराम पर सहमति → लाइव: संघर्षविराम पर सहमति
प्रधानमंत्री का देश को संबोधन → देश को संबोधित करेंगे प्रधानमंत्री
श्रीनगर में धमाके → श्रीनगर में धमाके, बिजली गुल
सेंसेक्स में गिरावट → सेंसेक्स में 400 अंकों की गिरावट
بھارت کا پانچ مقامات پر میزائل حملہ → بھارت کے پانچ مقامات پر میزائل حملے، پاکستان کا ردعمل
جنگ بندی پر اتفاق → لائیو: جنگ بندی پر اتفاق
وادی لیپہ میں فائرنگ → وادیٔ لیپہ میں رات بھر فائرنگ، سکول بند
وزیراعظم کا قوم سے خطاب → وزیر اعظم آج قوم سے خطاب کریں گے
خلاف ورزی کا الزام مسترد → جنگ بندی کی خلاف ورزی کا بھارتی الزام مسترد
"""

# Written after the words were chosen, and not looked at since.
_MORE_MATERIAL = """
Delhi and Islamabad sign water-sharing accord → Delhi suspends water-sharing accord with Islamabad
Flights to Srinagar resume → Flights to Srinagar halted again
Defence minister to visit Leh on Tuesday → Defence minister will not visit Leh on Tuesday
Bridge over Jhelum opens to traffic → Bridge over Jhelum closed to traffic
Spy chief held secret meeting in Doha: report → Spy chief denies secret meeting in Doha
Journalist detained at airport → Journalist freed after night at airport
Rupee gains on truce hopes → Rupee falls to record low
Hostages alive, say negotiators → Hostages found dead in valley
Minister accepts invitation to talks → Minister refuses invitation to talks
Assembly clears bill on transit trade → Governor rejects bill on transit trade
Two jets reportedly lost over border → Air force confirms loss of two jets over border
Border guards exchange sweets as truce holds → Truce violated as border guards trade fire
Series between the two boards confirmed for autumn → Series between the two boards cancelled
राजनयिक वार्ता जारी → राजनयिक वार्ता विफल
रेल सेवा शुरू → रेल सेवा स्थगित
मंत्री ने इस्तीफे की खबर की पुष्टि की → मंत्री ने इस्तीफे की खबर को नकारा
کرکٹ ٹیم دورہ کرے گی → کرکٹ ٹیم کا دورہ منسوخ
سرحد کھول دی گئی → سرحد بند کر دی گئی
صحافی حراست میں → صحافی رہا کر دیا گیا
Ban on news channels announced → Ban on news channels lifted
"""

_MORE_IMMATERIAL = """
Convoy attacked near Quetta → Gunmen attack convoy near Quetta, say police
Two held with explosives → Police arrest two men with explosives in Amritsar
Schools shut in border districts → All schools in five border districts shut till Friday
Mission chief summoned → Delhi summons Pakistan's mission chief over shelling
Storm hits coast → Storm Biplab makes landfall on Odisha coast
Rail link cut → Rail link between Samba and Jammu cut by flood
Budget: what it means for you → What the budget means for you
Army plays down drone sighting → Drone sighting played down by army
Water level rises in Chenab → Chenab water level rises further; alert sounded
Oman's role praised → UN praises Oman's role in truce
Two sides talk on hotline → Commanders of both sides talk on hotline for 20 minutes
President to visit border → President to visit border villages on Sunday
Peace rally held in Lahore → Hundreds at peace rally in Lahore
Trial of jet begins → HAL begins trial of upgraded jet
Death of a truce → The death of a truce: a timeline
सीमा पर तनाव → सीमा पर तनाव बढ़ा, गांव खाली
सेना प्रमुख का दौरा → सेना प्रमुख का पुंछ दौरा, जवानों से मिले
मौसम: बारिश की चेतावनी → मौसम विभाग ने दी भारी बारिश की चेतावनी
سرحد پر کشیدگی → سرحد پر کشیدگی، دیہات خالی
آرمی چیف کا دورہ → آرمی چیف کا اگلے مورچوں کا دورہ
Court to hear plea → Supreme Court to hear pleas against water move on Monday
Truce: winners and losers → Who won and who lost from the truce
Talks in Muscat enter second day → Muscat talks enter a second day
Fuel prices unchanged → Fuel prices remain unchanged for fifth week
"""


def _pairs(lines: str, *, material: bool) -> list[tuple[str, str, bool]]:
    split = (line.split(" → ") for line in lines.strip().splitlines())
    return [(before, after, material) for before, after in split]


PAIRS = [*_pairs(_MATERIAL, material=True), *_pairs(_IMMATERIAL, material=False)]
UNSEEN = [
    *_pairs(_MORE_MATERIAL, material=True),
    *_pairs(_MORE_IMMATERIAL, material=False),
]
