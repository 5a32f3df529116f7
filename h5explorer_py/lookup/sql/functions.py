"""The functions that a condition may call.

The list is written by hand. One derived from ``duckdb_functions()``, all that is scalar, consistent and without side
effects, would grow with every version of DuckDB, and has in it what a condition must not call: ``getvariable``,
``version`` and the catalogue's functions know what is none of a condition's business, ``json_serialize_plan`` and
``to_json`` of a query plan it, ``range``, ``list_resize``, ``list_reduce`` (doubling a text 40 times), ``format`` and
``printf`` (with a width) and ``bitstring`` make gigabytes out of a few characters within one row, where DuckDB can
neither be interrupted nor counts the memory, and ``now``, ``today`` or ``random`` let the same condition choose other
rows tomorrow. So each function here was looked at, and stands under how large its result can be, which bounds what a
condition may cost: see ``bounds.py``. A test compares the list with DuckDB's own: all scalar, consistent, without
side effects, of DuckDB itself or of the JSON and ICU parts that its wheels have built in; or macros of DuckDB.
"""

from __future__ import annotations


def names_in(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


SMALL = names_in("""
    + - * / // % ** ^ & | << >> ~ @ ~~ !~~ ~~* !~~* ~~~ ^@ @> <@ && <-> <=> xor add subtract multiply divide mod
    like_escape not_like_escape ilike_escape not_ilike_escape
    abs acos acosh asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees even exp factorial fdiv
    floor fmod gamma gcd greatest_common_divisor isfinite isinf isnan lcm least_common_multiple lgamma ln log log10 log2
    nextafter pi pow power radians round round_even roundbankers sign signbit sin sinh sqrt tan tanh trunc
    array_length ascii bit_length char_length character_length contains ends_with formatreadabledecimalsize
    formatreadablesize format_bytes hash instr len length length_grapheme md5 md5_number md5_number_lower
    md5_number_upper octet_length ord parse_formatted_bytes position prefix sha1 sha256 starts_with strlen strpos suffix
    to_base unicode hamming jaccard jaro_similarity jaro_winkler_similarity mismatches typeof
    age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
    dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian
    last_day make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns microsecond millennium millisecond
    minute month monthname nanosecond normalized_interval quarter second time_bucket timezone timezone_hour
    timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years try_strptime strptime week weekday weekofyear year
    yearweek uuid_extract_timestamp uuid_extract_version
    array_contains array_cosine_distance array_cosine_similarity array_distance array_dot_product array_has
    array_has_all array_has_any array_indexof array_inner_product array_negative_dot_product
    array_negative_inner_product array_position array_unique list_contains list_cosine_distance list_cosine_similarity
    list_distance list_dot_product list_has list_has_all list_has_any list_indexof list_inner_product
    list_negative_dot_product list_negative_inner_product list_position list_unique
    list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_count
    list_entropy list_kurtosis list_kurtosis_pop list_mad list_product list_sem list_skewness list_stddev_pop
    list_stddev_samp list_sum list_var_pop list_var_samp
    cardinality map_contains map_contains_entry map_contains_value struct_contains struct_has struct_indexof
    struct_position union_tag
    json_array_length json_contains json_exists json_type json_valid
""")
"""What gives a number, a truth, a time or a name of a few bytes."""

SAME = names_in("""
    || concat ->> greatest least if nullif
    chr decode encode from_base64 from_binary from_hex unhex unbin left left_grapheme ltrim overlay parse_dirname
    parse_dirpath parse_filename path_join reverse right right_grapheme rtrim split_part substr substring
    substring_grapheme trim url_decode
    list_value list_pack array_value array_append array_cat array_concat array_cross_product array_distinct
    array_extract array_grade_up array_intersect array_pop_back array_pop_front array_prepend array_push_back
    array_push_front array_reverse array_reverse_sort array_slice array_sort array_zip element_at flatten grade_up
    list_any_value list_append list_cat list_concat list_distinct list_element list_extract list_first list_grade_up
    list_intersect list_last list_max list_median list_min list_mode list_prepend list_reverse list_reverse_sort
    list_slice list_sort list_zip
    row struct_concat struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_update struct_values
    union_extract union_value
    map map_concat map_entries map_extract map_extract_value map_from_entries map_keys map_values
    json_extract json_extract_path json_extract_path_text json_extract_string json_keys json_value
""")
"""What gives no more than it is given."""

GROWING = {
    **dict.fromkeys(names_in("lcase lower ucase upper nfc_normalize strip_accents"), 2),
    **dict.fromkeys(names_in("base64 hex regexp_escape to_base64 to_hex"), 2),
    **dict.fromkeys(names_in("parse_path split str_split string_split string_to_array"), 2),
    **dict.fromkeys(names_in("translate url_encode"), 4),
    **dict.fromkeys(names_in("bin to_binary"), 8),
    "strftime": 16,
}
"""What gives at most so many times what it is given."""

LAMBDAS = names_in("""
    apply array_apply array_filter array_transform filter list_apply list_filter list_transform
""")
"""What takes a function as its second argument, and calls it once for each element of its first."""

PATTERNS = names_in("""
    regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array
    str_split_regex string_split_regex
""")
"""What takes a regular expression as its second argument."""

DISTANCES = names_in("damerau_levenshtein editdist3 levenshtein")
"""What takes a time that grows with the product of its two texts."""

JOINS = {"array_to_string": 1, "concat_ws": 0}
"""What puts a text between others, and which of its arguments that is."""

PADS = names_in("lpad rpad")

KNOWN = frozenset({*SMALL, *SAME, *GROWING, *LAMBDAS, *PATTERNS, *DISTANCES, *JOINS, *PADS, "repeat", "replace"})
"""All of them, by their names in lower case."""

NAMED_ARGUMENTS = names_in("struct_pack struct_insert struct_update")
"""What takes arguments with names."""

COLLATIONS = names_in("binary c nfc noaccent nocase posix")
"""Orders of text that are DuckDB's own."""
