"""Words that end in s and are nobody's plural.

Without them Hamas would be found by Hama, Williams by William, and news by new. Made by hand:
the words in -s of some 25 million characters of news were counted, those that hardly ever occur
without the s or nearly always with a capital were read one by one, and names of the same kind
(states, cities, surnames, given names) were added. Endings that a rule covers (-ss, -us, -is) are
not repeated here. A name that is also an everyday plural (Banks, Gates, Woods, Summers, Times)
is not here either: headlines print every word with a capital, and "bank" must find "Banks".
"""

from __future__ import annotations

from typing import Final

_EVERYDAY: Final = """
    acoustics aerobics aeronautics afterwards alas alias always analytics antics asbestos
    astrophysics athletics atlas avionics backwards barracks bathos bellows besides bias
    billiards binoculars bioethics biophysics canvas caries chaos christmas clothes congrats
    corps cosmos crossroads cybernetics diabetes does doldrums downstairs downwards dynamics
    eastwards economics electronics eros ethics ethos forensics forwards gallows genetics
    genomics geophysics geopolitics goes grassroots gymnastics headquarters herpes hers
    hydraulics indoors innings inwards kudos lens linguistics logistics macroeconomics
    mathematics maths means measles metaphysics mews microeconomics mumps news northwards
    nowadays obstetrics onwards optics ours ourselves outdoors outwards overseas paediatrics
    pajamas pancreas pants pathos pediatrics perhaps phonetics physics pliers politics pyjamas
    rabies rhinoceros rickets robotics sans scabies scissors semantics series shambles sometimes
    southwards species sweepstakes tetras thanks theirs themselves thermodynamics thermos
    towards trans trousers tweezers unawares upstairs upwards westwards whereabouts whereas xmas
    yours yourselves
"""
_PLACES: Final = """
    aires alamos algiers alpes altos amiens andes angeles antilles ardennes argos arkansas arles
    arras athens azores bahamas barbados brussels buenos burgas caicos calabasas cannes caracas
    chartres chiapas chios comoros dallas damas dardanelles davos dulles everglades fars
    galapagos ganges gatos grenadines hastings hebrides himalayas honduras jyllands kansas kars
    kaunas khas kitts lagos landes laos leeds lemnos lesbos lesvos limoges lomas londres madras
    maldives malvinas marseilles massachusetts matamoros moines mykonos nantes naples naxos
    netherlands nimes orkneys orleans ozarks palmas paphos paros patras philippines pireas
    pyrenees quds quepos reims rennes rhodes salinas samos seychelles shetlands sivas skopelos
    tamaulipas texas thames thebes troms vegas versailles vosges wales yonkers zacatecas
"""
_PEOPLE: Final = """
    abbas abrams achilles adams agnes ahrens aikens ailes alexandros alves ames amos ananias
    anas anders andreas andrews andros archimedes arias aristides atkins ayers barabbas barnes
    barros bates behrens benavides betts bezos bivens blevins boggs boutros bowles brees briars
    briggs burgos burks burroughs byers cabanas calkins canales cardenas carlos castellanos
    cervantes charles christos claes cleaves cleves coates collins contreras cortes cosmas
    costas cripps cronos cummings daines daniels davids davies dawkins degeneres demings dickens
    diggs dimitrios dolores douglas dumas echols edwards elias elkins enos epaminondas epps
    estes evans evers ezias farias fawas fernandes firas firkins flanders flores foles forbes
    frances frias fuchs gaines gallegos georges georgios gibbs giles gilles giorgos givens gomes
    gonzales greaves greitens griffiths grimes guterres gutierres haas haines hamas hanks hans
    hargreaves haskins hawkins hayes haynes hearns helms hercules hermanns hermes hickens hicks
    higgins higgs hines hobbs hodges holmes hopkins hoskins huggins hughes humphreys humphries
    hutchings hutchins iglesias ilyas ines ingalls isaacs isaias iyas jacobs jacques james
    jefferies jeffries jenkins jennings jens jeremias johns jonas jones joulos judas kallas
    karolos kearns keyes keynes klaas knowles kostas krebs kyriakos lamars larkins lars leonidas
    lopes lucas lukas lukens lyons maas macias mahomes marcos markos martens mathews mathias
    matos mats matthews matthias mazars mcreynolds mears meeks mendes mercedes messias michaels
    midas montes morales moses moyes mullins myers myles nicholas nicholls nichols nickles
    nicolas nikolas nikos niles nunes oates ochs owens papadopoulos pappas paredes parkins
    paulos pavlos peres perkins peters petros phelps philips phillips phipps pickens piers pitts
    potts pythagoras qaboos quarles raines rameses ramos ramses rawlings rawlins reaves rees
    reeves reyes reynolds richards ricketts riggs rivas robbins roberts robles rodgers rodrigues
    rogers rojas rollins rosales rubens sachs salas sampras samuels sanders santos saunders
    sayers scripps searles sears shams sievers silas simmons simons sims sissons smithers soares
    socrates soros spiros stavros stearns stefanos stephanopoulos stephens stevens stiles stoops
    stubbs suhas sykes symonds tasos tavares tedros terrazas thomas thos tibbetts tibbs
    timmermans timmons timms tobias tomas tomkins tompkins torres tsipras tsitsipas twiggs
    ulysses valdes vargas vikas villalobos villegas villiers wachs walters waqas watkins watters
    watts wiles wilkins willems willetts williams withers yates younas yunas yves zacarias
    zacharias
"""
_OTHERS: Final = """
    abcnews adidas apnews apos asics axios barclays barings caritas cbsnews cheetos civitas
    cnnnews doritos euronews exynos foxnews gravitas hellas hindustantimes ineos infowars ionos
    ipsos kaws latimes lloyds macos mers messrs nbcnews nytimes paribas petronas reuters rutgers
    sars siemens skynews sonos sothebys starbucks tvos unitas veritas wikileaks yukos zappos
"""
_ELSEWHERE: Final = """
    abends acces ademas ailleurs allerdings alles alors anders antes apenas apres atras avons
    bereits besonders czas damals dans deces dedans dehors despues dieses ebenfalls eines eins
    entonces envers erstens estamos etes etwas expres glas gras hemos jamas jedenfalls jenes
    jeweils jueves keines kurs lachs lejos lors lunes martes mehrmals meistens menos mientras
    miercoles mindestens moins morgens nachts nichts niemals nosotros oftmals pelas pelos
    plusieurs podczas podemos proces progres quizas rechts repas sechs sens sommes somos stets
    succes temps tenemos toujours tras travers tres unterwegs vamos vers viernes vosotros
    zweitens
"""

NO_PLURALS: Final = frozenset(
    word for table in (_EVERYDAY, _PLACES, _PEOPLE, _OTHERS, _ELSEWHERE) for word in table.split()
)
"""Normal forms of words in -s that have no singular."""
