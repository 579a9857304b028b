# What the image brings into the pod's volumes: sh seed.sh MODELS VOLUME KERNELS CACHE
#
# Models go to VOLUME only while nothing there is in use (`current`), so an upgrade never takes
# back what was retrained. Several pods may start at once: a folder appears whole or not at all,
# and `current` comes last.
models=$1 volume=$2 kernels=$3 cache=$4

# Compiled kernels: a worker that finds them starts some ten seconds sooner. They must be writable.
mkdir -p "$cache"
cp -r "$kernels/." "$cache/"

if [ -e "$volume/current" ] || [ ! -e "$models/current" ]; then
    exit 0
fi
copy=$(mktemp -d "$volume/.seeding-XXXXXX")
trap 'rm -rf "$copy"' EXIT
cp -r "$models/." "$copy/"
for path in "$copy"/* "$copy"/.[!.]*; do
    name=${path##*/}
    if [ "$name" = current ] || [ ! -e "$path" ]; then
        continue
    fi
    # Another pod's copy may have come first: the rename onto a folder with files fails.
    mv -T "$path" "$volume/$name" 2>/dev/null || [ -e "$volume/$name" ]
done
mv "$copy/current" "$volume/current"
