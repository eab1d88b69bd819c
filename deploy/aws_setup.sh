#!/usr/bin/env bash
# Makes once, in an AWS account, what cluster.yaml names: `deploy/aws_setup.sh YOUR_BUCKET YOUR_ADDRESS`, with the `aws` command
# and a region set (AWS_REGION). It may be run again, and prints what to put into cluster.yaml.
#
# - The roles tuner-head and tuner-worker with the policies beside this file. Without them Ray gives the head all of EC2 and S3.
# - A security group in the default network (VPC): its machines reach each other, which covers Ray and EFS (NFS, port 2049);
#   from outside only SSH, and only from YOUR_ADDRESS. Ray's own group would let the whole world at port 22.
# Make an EFS file system with its mount targets in that group, if results are to be there and not in the bucket.
set -euo pipefail
cd "$(dirname "$0")"
fail() { echo "aws_setup.sh: $*" >&2; exit 2; }
BUCKET=${1:-} ADDRESS=${2:-}
[[ $BUCKET =~ ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$ ]] || fail "'$BUCKET' is no name of a bucket"
[[ $ADDRESS =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] || fail "'$ADDRESS' is no IPv4 address: yours, from which you use SSH"
command -v aws > /dev/null || fail "there is no command aws"

aws() { command aws --output text "$@"; }
ACCOUNT=$(aws sts get-caller-identity --query Account)

for role in head worker; do
  name=tuner-$role
  aws iam get-role --role-name "$name" > /dev/null 2>&1 || aws iam create-role --role-name "$name" \
    --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' > /dev/null
  policy=$(sed "s/YOUR_ACCOUNT/$ACCOUNT/g; s/YOUR_BUCKET/$BUCKET/g" "aws_${role}_policy.json")
  aws iam put-role-policy --role-name "$name" --policy-name tuner --policy-document "$policy" > /dev/null
  if ! aws iam get-instance-profile --instance-profile-name "$name" > /dev/null 2>&1; then
    aws iam create-instance-profile --instance-profile-name "$name" > /dev/null
    aws iam add-role-to-instance-profile --instance-profile-name "$name" --role-name "$name" > /dev/null
  fi
done

# By this role EC2 starts spot machines; an account has it once.
aws iam get-role --role-name AWSServiceRoleForEC2Spot > /dev/null 2>&1 ||
  aws iam create-service-linked-role --aws-service-name spot.amazonaws.com > /dev/null

vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId')
group=$(aws ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" Name=group-name,Values=tuner --query 'SecurityGroups[0].GroupId')
if [ "$group" = None ]; then
  group=$(aws ec2 create-security-group --vpc-id "$vpc" --group-name tuner --description "Ray nodes of tuner" --query GroupId)
  aws ec2 authorize-security-group-ingress --group-id "$group" --protocol=-1 --source-group "$group" > /dev/null
  aws ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr "$ADDRESS/32" > /dev/null
fi
echo "SecurityGroupIds: [$group]"
for role in head worker; do echo "IamInstanceProfile: {Arn: arn:aws:iam::$ACCOUNT:instance-profile/tuner-$role}"; done
