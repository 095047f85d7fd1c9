select drop_shadow_tables($1)
