"""Completions for the instructions of IFEval: hard cases of each kind, by name."""

ENGLISH = "The quick brown fox jumps over the lazy dog, and then it sleeps for a while in the warm sun."
RESPONSES: dict[str, str] = {
    "blank": " \n\t",
    "a word": "Yes",
    "one option": "My answer is yes.",
    "an option inside": "Well: My answer is maybe. Thank you.",
    "an option in another case": "my answer is no.",
    "english": ENGLISH,
    "english in capitals": ENGLISH.upper(),
    "english in lowercase": ENGLISH.lower(),
    "capitals that are no english": "WO IST DENN HIER DER BAHNHOF, BITTE? ICH HABE MICH VERLAUFEN.",
    "german": "Wo ist denn hier der Bahnhof, bitte? Ich habe mich verlaufen.",
    "hindi": "यह एक छोटा सा वाक्य है। मुझे हिन्दी में लिखना पसंद है।",
    "kannada": "ನನಗೆ ಕನ್ನಡದಲ್ಲಿ ಬರೆಯುವುದು ಇಷ್ಟ. ಇದು ಒಂದು ಚಿಕ್ಕ ವಾಕ್ಯ.",
    "hindi with an english word": "यह एक छोटा सा वाक्य है, ok? मुझे हिन्दी में लिखना पसंद है।",
    "no full-width comma": "你好\uff0c世界。",
    "a comma in a number": "It costs 1,000 dollars.",
    "words joined by signs": "well-known semi_colon; it's 3.14 and/or 50%",
    "abbreviations": "Dr. Smith met Mr. Brown at 5 p.m. on Jan. 3. They talked, e.g. about U.S. law. It rained!",
    "sentences with quotes": 'He said "Stop." She went on. "Why?" he asked... Nobody knew?! (Not even I.) End',
    "sentences without spaces": "One.Two.Three. Four",
    "ellipses": "So... it begins. And... it ends...",
    "lines without full stops": "One\nTwo\n\nThree",
    "capital words": "NASA and the U.S. CANNOT agree, OK? I DON'T know: HTML/CSS, GPT-4 and A.B.C. say 'NO'.",
    "capital words with quotes": "\"STOP!\" SAID ALICE'S CAT: 'TIS A \u201cGREAT\u201d DAY... I'M OFF--BYE (SEE YOU) X,Y Z:1",
    "contractions in capitals": "WE'LL GONNA TRY, YOU'VE GOTTA, THEY'RE GIMME'D, CAN'T; DON'T.",
    "placeholders": "Dear [name], come to [address]. [] [a\nb] [[c]] ]d[",
    "placeholders left open": "[ [ [ [x",
    "bullets": "* one\n* two\n  * three\n- four\n",
    "bullets with dashes": "Points:\n- one\n-two\n\n\n   - three\n--- \n",
    "bold lines are no bullets": "**one**\n* two\n*\n*\n** three\n",
    "bullets with nothing behind": "*\n* a\n*\n\n*",
    "highlights": "*one* and **two** and ***three*** and * * and ** ** and *a\nb* and **c*",
    "highlights that are empty": "** **** * ** ***",
    "highlight over lines": "*one\ntwo* *three*",
    "sections": "Section 1\nfoo\nSection 2: bar\nSECTION 3\nSection3 Sections 4",
    "sections without space": "PARAGRAPH1 PARAGRAPH 2 Day 1 Day2 Audience 1Audience 2",
    "paragraphs with stars": "one\n***\ntwo\n***\nthree",
    "paragraphs with stars at the ends": "***\none\n***\ntwo\n***",
    "an empty paragraph": "one\n***\n\n***\ntwo",
    "paragraphs with more stars": "one ****** two ***three",
    "paragraphs": "Weekend, here I come.\n\nfirst of all\n\n\"President\" Obama\n\n'it' is",
    "paragraphs with an empty one": "one\n\n\n\nweekend two\n\n \n\nthree",
    "paragraph that begins with a quotation": '"Weekend" first\n\n\'"first\n\n"\'first',
    "two responses": "one ****** two",
    "two responses, the same": "one ****** one\n",
    "three responses": "one ****** two ****** three",
    "two responses and marks around": "******one******two******",
    "an empty response": "one ****** ****** two",
    "one response": "one",
    "title": "<<poem of joy>>\nlines",
    "title of nothing": "<< >> <<>> <<<>>>",
    "title in brackets": "a <<<b>>> c >> d",
    "title over lines": "<<a\nb>>",
    "title with space": "text <<  Title  >>",
    "postscript": "text\n\nP.S. more",
    "postscript with spaces": "text P. S. more",
    "postscript twice": "text P.P.S more",
    "postscript twice with stops": "text\nP. P. S. more",
    "postscript in lowercase": "p.s. and p.p.s",
    "postscript without stops": "PS more",
    "json": '{"a": [1, 2], "b": null}',
    "json in a fence": '```json\n{"a": 1}\n```',
    "json in a fence with a capital": "```JSON\n[1]\n```\n",
    "json in a bare fence": '```\n"text"\n```',
    "json and a sentence": 'Here it is:\n```json\n{"a": 1}\n```',
    "json and a last line": '{"a": 1}\nDone.',
    "json in another fence": "```python\n1\n```",
    "json with nan": "NaN",
    "json that is a number": " 12 ",
    "python and no json": "{'a': 1}",
    "a long number": "1" * 5000,
    "quoted": '"All of it is quoted."',
    "quoted and space": ' "All"\n',
    "quoted by another sign": "\u201cAll\u201d",
    "one quotation mark": '"',
    "two quotation marks": '""',
    "quotation marks": '"" ""',
    "quoted at one end": '"All of it',
    "ends with the phrase": "text. Is there anything else I can help with?",
    "ends with the phrase in quotes": '"text. is there anything ELSE I can help with?"',
    "phrase and more": "Is there anything else I can help with? Bye",
    "ends with the phrase on a last line": "Is there anything else I can help with?\nBye",
    "a chatty first line": "Sure, here you go:\nMy answer is no.",
    "stars around": "***My answer is no.***",
    "repeated prompt": "Write a poem, please. Roses are red.",
    "repeated prompt in another case": "  WRITE A POEM, PLEASE.\nRoses",
    "repeated prompt after a line": "Sure!\nWrite a poem, please.\nRoses",
    "a quotation before the repeated prompt": '"Write a poem, please." Roses',
    "keywords": "Story of a storyteller: STORY, correlated and experiencing C++ a.b axb rock rocks",
    "keywords joined": "storystory correlatedexperiencing bedrock",
    "letters": "#### aA bB q! É é ß İ",
    "thoughts of markdown": "# Title\n\n## Part 1\n\n* **bold**: text, text\n* *it*\n\n> Quote\n\n1. One\n2. Two.",
    "html": "<p>Hello, <b>World</b></p>",
    "windows line ends": "one\r\n* two\r\n- three\r\n\r\nP.S. four",
    "other line ends": "one\u2028* two\x0b- three\x85* four\r* five",
    "unicode spaces": "\u00a0* one\u2003\n\u3000- two",
    "only signs": "?! ... -- ##",
    "only digits": "123 456",
    "an address and no more": "https://example.com/a?b=c",
    "emoji": "\U0001f600\U0001f600 \U0001f389",
}
"""What a model may write, by what is hard about it."""

ARGUMENTS: dict[str, list[dict[str, object]]] = {
    "change_case:capital_word_frequency": [
        {"capital_frequency": count, "capital_relation": relation}
        for count in (1, 2, 4, 8, 9, 10, 12, 13, 15, 16, 17, 18, 19)
        for relation in ("less than", "at least")
    ],
    "change_case:english_capital": [{}],
    "change_case:english_lowercase": [{}],
    "combination:repeat_prompt": [
        {"prompt_to_repeat": "Write a poem, please."},
        {"prompt_to_repeat": " yes "},
    ],
    "combination:two_responses": [{}],
    "detectable_content:number_placeholders": [{"num_placeholders": count} for count in (1, 3, 4, 5)],
    "detectable_content:postscript": [{"postscript_marker": marker} for marker in ("P.S.", "P.P.S", "more")],
    "detectable_format:constrained_response": [{}],
    "detectable_format:json_format": [{}],
    "detectable_format:multiple_sections": [
        {"section_spliter": mark, "num_sections": count}
        for mark in ("Section", "SECTION", "PARAGRAPH", "Day", "Audience")
        for count in (1, 2, 3)
    ],
    "detectable_format:number_bullet_lists": [{"num_bullets": count} for count in (1, 2, 3, 4, 5)],
    "detectable_format:number_highlighted_sections": [{"num_highlights": count} for count in (1, 2, 3, 4, 6)],
    "detectable_format:title": [{}],
    "keywords:existence": [
        {"keywords": words} for words in (["correlated", "experiencing"], ["story"], ["É"])
    ],
    "keywords:forbidden_words": [{"forbidden_words": words} for words in (["rock"], ["story", "Bahnhof"])],
    "keywords:frequency": [
        {"keyword": word, "frequency": count, "relation": relation}
        for word in ("story", " the ", "i")
        for count in (1, 2, 3, 4)
        for relation in ("less than", "at least")
    ],
    "keywords:letter_frequency": [
        {"letter": letter, "let_frequency": count, "let_relation": relation}
        for letter in ("a", "Q", "i", "s")
        for count in (1, 3, 4)
        for relation in ("less than", "at least")
    ],
    "language:response_language": [{"language": code} for code in ("en", "kn")],
    "length_constraints:nth_paragraph_first_word": [
        {"num_paragraphs": count, "nth_paragraph": number, "first_word": word}
        for count in (1, 2, 3, 4)
        for number in range(1, count + 1)
        for word in ("weekend", "President", "first", "it")
    ],
    "length_constraints:number_paragraphs": [{"num_paragraphs": count} for count in (1, 2, 3, 4)],
    "length_constraints:number_sentences": [
        {"num_sentences": count, "relation": relation}
        for count in (1, 2, 3, 4, 5, 6, 7)
        for relation in ("less than", "at least")
    ],
    "length_constraints:number_words": [
        {"num_words": count, "relation": relation}
        for count in (1, 3, 5, 11, 19, 20)
        for relation in ("less than", "at least")
    ],
    "punctuation:no_comma": [{}],
    "startend:end_checker": [
        {"end_phrase": phrase}
        for phrase in (" Is there anything else I can help with? ", "End", "more", 'I said "no"')
    ],
    "startend:quotation": [{}],
}
"""Arguments of each of the 25 kinds."""
