"""Learning a manner of speech from chats: their exports are read, cleaned, measured and indexed.

A chat goes through these modules in order: `formats` finds who reads the file (`telegram`,
`kakaotalk`, `whatsapp`), `private` takes out what is nobody's business, `exchanges` pairs what was
said with what was answered, `style` measures, `selection` and `index` choose, `shelf` keeps.
"""
