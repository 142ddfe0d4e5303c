# What every environment ends with, whatever it was installed from. Runs in /opt/build.
set -eu
python=/opt/pcm/bin/python

# Code goes into a folder of its own, so that it can change without the environment.
mkdir -p /opt/pcm/code
site=$($python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo /opt/pcm/code > "$site/pcm-code.pth"

# Importing lightning takes 2.4 times as long without compiled files. Slim bases have none of
# the standard library either. Some packages carry templates that are no Python: not a fault.
standard=$($python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
$python -m compileall -q -j 0 "$standard" "$site" > /dev/null || true

find /opt/pcm -name '*.a' -delete
rm -rf /opt/build /root/.cache /var/lib/apt/lists/* /usr/share/doc/*
