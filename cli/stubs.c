#include "cli/demo.h"
int demo_act_c(const struct demo_opts*o){(void)o;return 0;}
