#include "cli/demo.h"
#include "cli/cli.h"
int demo_act_c(const struct demo_opts*o){(void)o;return 0;}
static int r(char*const*a,int n){(void)a;(void)n;return 0;}
const struct cli_command cli_serve={.name="serve",.operands="DIR",.summary="s",.run=r},cli_get={.name="get",.operands="URL",.summary="s",.run=r},cli_ping={.name="ping",.operands="A",.summary="s",.run=r},cli_doctor={.name="doctor",.operands="",.summary="s",.run=r};
